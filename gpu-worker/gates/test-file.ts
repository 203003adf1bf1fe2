const names = /^(?:test_.*|.*_test|conftest)\.pyi?$|\.(?:test|spec)\.[cm]?[jt]sx?$|_test\.go$|(?:Test|Tests|IT)\.java$/
const folders = /(?:^|\/)(?:tests?|__tests__|spec)\//

/** Whether a path is that of a test, by the habits of its language. */
export const isTestFile = (path: string): boolean =>
  names.test(path.slice(path.lastIndexOf('/') + 1)) || folders.test(path)

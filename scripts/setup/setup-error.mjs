/** Something that setting up could not do. The message says what failed and what a person can do; no stack is shown. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {string[]} [advice] lines to show below it
   */
  constructor(message, advice = []) {
    super([message, ...advice.map((line) => `  ${line}`)].join('\n'))
    this.name = 'SetupError'
  }
}

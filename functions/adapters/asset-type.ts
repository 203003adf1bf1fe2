const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The media type of a file of the page by its name; undefined for a file that is no part of it. */
export function assetType(name: string): string | undefined {
  return contentTypes[/\.[a-z]+$/.exec(name)?.[0] ?? '']
}

// What the build turns into something else than a module: a style sheet, which is loaded beside the script.
declare module '*.css'

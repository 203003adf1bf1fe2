#!/usr/bin/env node
// The command `millwright-mcp`: `node scripts/run.mjs bridge`, from wherever it is started.
process.argv.splice(2, 0, 'bridge')
await import('../run.mjs')

// The MCP client's schemas would ask whether code may be made of text: the policy of the page forbids it, and reports who
// asks. Imported before anything that brings them.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } })

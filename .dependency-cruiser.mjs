// The arrows of the architecture. What is not listed here as forbidden is allowed.
const tests = '\\.test\\.ts$|^test/'
const compositions = '^functions/entry\\.|^gpu-worker/main\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    // `cloudflare:` is the runtime's own, as `node:` is Node's.
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^cloudflare:' } },
    {
      name: 'workerd-in-its-adapters',
      comment: "cloudflare: only in workerd's adapters and entry",
      severity: 'error',
      from: {
        path: '^(shared|functions|gpu-worker|web)/',
        pathNot: '^functions/adapters/workerd/|^functions/entry\\.workerd\\.ts$',
      },
      to: { path: '^cloudflare:' },
    },
    {
      name: 'shared-stands-alone',
      comment: 'shared/ is what both ends of a wire agree on: valibot, its JSON Schema companion, and itself',
      severity: 'error',
      from: { path: '^shared/', pathNot: tests },
      to: { pathNot: '^shared/|^node_modules/(valibot|@valibot/to-json-schema)/' },
    },
    {
      name: 'edge-worker-web-meet-in-shared',
      severity: 'error',
      from: { path: '^(functions|gpu-worker|web)/', pathNot: tests },
      to: { path: '^(functions|gpu-worker|web)/', pathNot: '^$1/' },
    },
    {
      name: 'nothing-imports-scripts-or-test',
      severity: 'error',
      from: { path: '^(shared|functions|gpu-worker|web)/', pathNot: tests },
      to: { path: '^(scripts|test)/' },
    },
    {
      name: 'adapters-only-from-compositions',
      comment: 'A feature knows ports; which library serves one is decided in one file per program',
      severity: 'error',
      from: { path: '^(functions|gpu-worker)/', pathNot: `${tests}|${compositions}|/adapters/` },
      to: { path: '/adapters/' },
    },
    {
      name: 'edge-app-is-portable',
      comment: 'node: only in the Node adapters and the Node entry',
      severity: 'error',
      from: { path: '^functions/', pathNot: `${tests}|^functions/adapters/(node|nats)/|^functions/entry\\.node\\.ts$` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'ports-import-shared-only',
      severity: 'error',
      from: { path: '^(functions|gpu-worker)/ports/' },
      to: {
        pathNot:
          '^shared/|^(functions|gpu-worker)/ports/|^gpu-worker/workspace/repository-path\\.ts$|^node_modules/valibot/',
      },
    },
    {
      name: 'workspace-below-all-that-uses-it',
      severity: 'error',
      from: { path: '^gpu-worker/workspace/', pathNot: tests },
      to: { path: '^gpu-worker/(?!workspace/|ports/)' },
    },
    {
      name: 'checks-and-models-below-what-asks-them',
      severity: 'error',
      from: { path: '^gpu-worker/(gates|inference)/', pathNot: tests },
      to: { path: '^gpu-worker/(?!$1/|ports/|workspace/)' },
    },
    {
      name: 'features-apart',
      comment: 'What one feature needs of another is a port: hooks know nothing of templates',
      severity: 'error',
      from: { path: '^gpu-worker/(agent|analysis|hooks|runs|templates|validation)/', pathNot: tests },
      to: {
        path: '^gpu-worker/(agent|analysis|hooks|improvement|orchestration|runs|templates|validation)/',
        // A template made by the model, and one that writes several files, is the agent's business too.
        pathNot: '^gpu-worker/($1|agent)/',
      },
    },
    {
      name: 'improvement-above-agent-and-analysis',
      severity: 'error',
      from: { path: '^gpu-worker/improvement/', pathNot: tests },
      to: { path: '^gpu-worker/(hooks|orchestration|runs|templates|validation)/' },
    },
    {
      name: 'orchestration-above-improvement',
      severity: 'error',
      from: { path: '^gpu-worker/orchestration/', pathNot: tests },
      to: { path: '^gpu-worker/(hooks|runs|templates|validation)/' },
    },
    {
      name: 'features-below-tools',
      severity: 'error',
      from: {
        path: '^gpu-worker/(agent|analysis|hooks|improvement|orchestration|runs|templates|validation)/',
        pathNot: tests,
      },
      to: { path: '^gpu-worker/(tools/|daemon|main)' },
    },
    {
      name: 'page-parts-below-views',
      comment: 'What all views share knows of none of them',
      severity: 'error',
      from: { path: '^web/src/(api|state|keys|components)/', pathNot: tests },
      to: { path: '^web/src/(views/|routes|main)' },
    },
    {
      name: 'one-mcp-client-in-the-page',
      comment: 'Loaded late and in one place; elsewhere only its types',
      severity: 'error',
      from: { path: '^web/', pathNot: `${tests}|^web/src/api/mcp-connection\\.ts$` },
      to: { path: 'node_modules/@modelcontextprotocol/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'one-file-per-library',
      comment: 'These libraries are wrapped once',
      severity: 'error',
      from: { path: '^(functions|gpu-worker)/', pathNot: `${tests}|${compositions}|/adapters/` },
      to: { path: '^node_modules/(node-llama-cpp|openai|simple-git|web-tree-sitter|@nats-io)/' },
    },
    {
      name: 'one-reader-of-foreign-text',
      comment:
        'Templates, reports and hook configurations come from anybody: one file each knows how they are read safely',
      severity: 'error',
      from: {
        path: '^(shared|functions|gpu-worker|web)/',
        pathNot: `${tests}|^gpu-worker/(templates/engine|runs/junit|hooks/hook-configuration)\\.ts$`,
      },
      to: { path: 'node_modules/(liquidjs|@rgrove/parse-xml|yaml)/' },
    },
    {
      name: 'no-dev-dependencies-in-product',
      severity: 'error',
      from: { path: '^(shared|functions|gpu-worker|web)/', pathNot: `${tests}|^web/vite\\.config\\.ts$` },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^test/fixtures/|^web/dist' },
    tsConfig: { fileName: 'tsconfig.json' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      mainFields: ['module', 'main'],
    },
  },
}

import { describe, expect, it } from 'vitest'
import { createProtectedPaths } from './protected-paths.ts'
import { parseRepositoryPath } from './repository-path.ts'

const paths = createProtectedPaths()
const protectionOf = (text: string): string => paths.judge(parseRepositoryPath(text)).protection

describe('createProtectedPaths', () => {
  it.each([
    '.git',
    '.git/hooks/pre-commit',
    '.GIT/config',
    '.Git/config',
    'git~1/config',
    'GIT~2',
    'sub/.git',
    'sub/.git/config',
    '．git/config',
    '.env',
    '.env.local',
    'apps/web/.ENV.production',
    '.envrc',
    'ENV~1',
    '.ssh/config',
    'id_rsa',
    'keys/id_ed25519',
    'server.pem',
    'tls/SERVER.KEY',
    'store.p12',
    '.aws/credentials',
    '.npmrc',
    'packages/a/.npmrc',
    '.netrc',
    '_netrc',
    '.pypirc',
    '.git-credentials',
    '.docker/config.json',
    '.kube/config',
    '.config/gcloud/x.json',
    '.cargo/credentials.toml',
    'terraform.tfstate',
    '.bash_history',
    'src/.millwright-0123456789abcdef.tmp',
  ])('keeps %j from reading and writing', (text) => {
    expect(protectionOf(text)).toBe('read-write')
  })

  it.each([
    '.gitmodules',
    '.gitattributes',
    'sub/.GitAttributes',
    '.gitconfig',
    '.vscode/tasks.json',
    '.vscode/settings.json',
    '.VSCode/settings.json',
    '.idea/workspace.xml',
    '.run/app.run.xml',
    'app.code-workspace',
    '.devcontainer/devcontainer.json',
    '.cursor/rules/x.mdc',
    '.cursorrules',
    '.claude/settings.json',
    'CLAUDE.md',
    'docs/claude.md',
    'AGENTS.md',
    'GEMINI.md',
    '.mcp.json',
    '.windsurfrules',
    '.aider.conf.yml',
    '.github/copilot-instructions.md',
    '.github/workflows/ci.yml',
    '.github/actions/x/action.yml',
    '.gitlab-ci.yml',
    '.circleci/config.yml',
    'Jenkinsfile',
    'azure-pipelines.yml',
    '.husky/pre-commit',
    '.githooks/pre-push',
    '.pre-commit-config.yaml',
    'lefthook.yml',
    'package.json',
    'packages/a/Package.json',
    '.yarn/releases/yarn.cjs',
    '.pnpmfile.cjs',
    '.cargo/config.toml',
    '.ripgreprc',
    '.bashrc',
    'mise.toml',
    '.vimrc',
    '.exrc',
    'millwright.json',
    '.millwright/templates/x',
  ])('keeps %j from writing only', (text) => {
    expect(protectionOf(text)).toBe('write')
  })

  it.each([
    'src/a.ts',
    'README.md',
    'environment.ts',
    'src/env.ts',
    'git/config.ts',
    'digit.py',
    '.gitignore',
    '.gitkeep',
    'package.json.ts',
    'src/keyboard.ts',
    'key.ts',
    'id_rsa.pub',
    '.github/ISSUE_TEMPLATE/bug.md',
    'tsconfig.json',
    'Makefile',
    'millwright.json.md',
    'backup~',
  ])('leaves %j alone', (text) => {
    expect(protectionOf(text)).toBe('none')
  })

  it('opens exactly what the owner names, and never the folder of git', () => {
    const opened = createProtectedPaths(['.vscode/settings.json', './.env.example', '.git/config'])
    const protectionNow = (text: string): string => opened.judge(parseRepositoryPath(text)).protection
    expect(protectionNow('.vscode/settings.json')).toBe('none')
    expect(protectionNow('.env.example')).toBe('none')
    expect(protectionNow('.vscode/tasks.json')).toBe('write')
    expect(protectionNow('.VSCODE/settings.json')).toBe('write')
    expect(protectionNow('.env')).toBe('read-write')
    expect(protectionNow('.git/config')).toBe('read-write')
  })

  it('says why', () => {
    expect(paths.judge(parseRepositoryPath('.env')).reason).toContain('secrets')
    expect(paths.judge(parseRepositoryPath('src/a.ts')).reason).toBe('')
  })
})

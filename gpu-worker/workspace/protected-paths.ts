import { parseRepositoryPath, type RepositoryPath } from './repository-path.ts'

/** `write`: may be read but not written. `read-write`: neither. */
export type Protection = 'none' | 'write' | 'read-write'

export interface Judgement {
  readonly protection: Protection
  /** For a person: what the path is. Empty where it is not protected. */
  readonly reason: string
  /** False for what no owner can open: git's own folder and our temp files. */
  readonly allowable: boolean
}

export interface ProtectedPaths {
  judge(path: RepositoryPath): Judgement
}

interface Rule {
  readonly protection: Exclude<Protection, 'none'>
  readonly reason: string
  readonly allowable: boolean
  /** Matched against every folded name of the path. */
  readonly names?: RegExp
  /** Matched against the folded path, each with a leading `/`. */
  readonly paths?: RegExp
}

const exactly = (...names: string[]): RegExp =>
  new RegExp(`^(?:${names.map((name) => name.replaceAll('.', '\\.').replaceAll('*', '.*')).join('|')})$`, 'u')

// The first rule that matches decides, so what may not even be read comes first. docs/security.md lists the same.
const rules: readonly Rule[] = [
  {
    protection: 'read-write',
    reason: "git's own folder, or a name that some system takes for it",
    allowable: false,
    names: /^(?:\.git|git~\d+|\.git~\d+)[ .]*$/u,
  },
  {
    protection: 'read-write',
    reason: 'a temp file of this server',
    allowable: false,
    names: /^\.millwright-.*\.tmp$/u,
  },
  {
    protection: 'read-write',
    reason: 'a short name (8.3) that may stand for another file',
    allowable: true,
    names: /^[^.~]{1,6}~\d{1,6}(?:\.[^.]{0,3})?$/u,
  },
  { protection: 'read-write', reason: 'environment with secrets', allowable: true, names: /^\.env/u },
  {
    protection: 'read-write',
    reason: 'a key or a key store',
    allowable: true,
    names:
      /^(?:id_(?:rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss)|.*\.(?:pem|key|p8|p12|pfx|jks|keystore|kdbx|ppk|gpg|pgp|asc|tfstate|tfstate\.backup))$/u,
  },
  {
    protection: 'read-write',
    reason: 'a folder of credentials',
    allowable: true,
    names: exactly(
      '.ssh',
      '.aws',
      '.azure',
      '.gnupg',
      '.kube',
      '.docker',
      '.gcloud',
      '.password-store',
      '.terraform.d',
    ),
  },
  {
    protection: 'read-write',
    reason: 'credentials',
    allowable: true,
    names: exactly(
      '.npmrc',
      '.yarnrc',
      '.yarnrc.yml',
      '.netrc',
      '_netrc',
      '.pypirc',
      '.pgpass',
      '.my.cnf',
      '.git-credentials',
      '.dockercfg',
      '.htpasswd',
      '.boto',
      '.s3cfg',
      '.terraformrc',
      'credentials.tfrc.json',
      'credentials.json',
      'service-account*.json',
      '.vault-token',
      '.databrickscfg',
      'kubeconfig',
      '.*_history',
    ),
    paths:
      /\/(?:\.config\/(?:gcloud|gh|git)|\.cargo\/credentials(?:\.toml)?|\.gem\/credentials|\.m2\/settings[^/]*\.xml)(?:\/|$)/u,
  },
  {
    protection: 'write',
    reason: 'configuration of git or of another version control system',
    allowable: true,
    names: exactly('.gitmodules', '.gitattributes', '.gitconfig', '.lfsconfig', '.hg', '.hgrc', '.svn', '.bzr', '.jj'),
  },
  {
    protection: 'write',
    reason: 'configuration of an editor, which can start programs',
    allowable: true,
    names: exactly(
      '.vscode',
      '.idea',
      '.run',
      '.fleet',
      '.zed',
      '.vs',
      '.nova',
      '.helix',
      '.theia',
      '.settings',
      '.project',
      '.vim',
      '.vimrc',
      '.gvimrc',
      '.nvimrc',
      '.nvim.lua',
      '.exrc',
      '.dir-locals.el',
      '.dir-locals-2.el',
      '.emacs',
      '.emacs.d',
      '.devcontainer',
      '.devcontainer.json',
      '*.code-workspace',
      '*.sublime-project',
      '*.sublime-workspace',
    ),
  },
  {
    protection: 'write',
    reason: 'instructions or configuration that other assistants follow',
    allowable: true,
    names: exactly(
      '.cursor',
      '.cursorrules',
      '.cursorignore',
      '.claude',
      '.claude.json',
      'claude.md',
      'claude.local.md',
      'agents.md',
      'agents.override.md',
      'agents.local.md',
      'agent.md',
      'gemini.md',
      'skill.md',
      '.gemini',
      '.agents',
      '.agent',
      '.codex',
      '.copilot',
      '.mcp.json',
      'mcp.json',
      '.windsurf',
      '.windsurfrules',
      '.clinerules',
      '.cline',
      '.roo',
      '.roomodes',
      '.roorules',
      '.continue',
      '.continuerc.json',
      '.aider*',
      '.opencode',
      'opencode.json',
      'opencode.jsonc',
      '.kiro',
      '.junie',
      '.trae',
      '.amazonq',
      '.augment',
      '.devin',
      '.goosehints',
      '.rules',
      'copilot-instructions.md',
      '*.instructions.md',
      '*.prompt.md',
      '*.chatmode.md',
      '*.agent.md',
    ),
  },
  {
    protection: 'write',
    reason: 'continuous integration, which runs commands elsewhere',
    allowable: true,
    names: exactly(
      '.gitlab-ci.yml',
      '.gitlab-ci.yaml',
      '*.gitlab-ci.yml',
      '.gitlab',
      '.circleci',
      '.buildkite',
      '.teamcity',
      '.semaphore',
      '.tekton',
      '.ci',
      '.travis.yml',
      'appveyor.yml',
      '.appveyor.yml',
      'azure-pipelines*',
      '.azure-pipelines',
      'bitbucket-pipelines.yml',
      'jenkinsfile',
      'jenkinsfile.*',
      '.drone.yml',
      '.drone.star',
      '.woodpecker*',
      '.cirrus.yml',
      '.cirrus.star',
      'buildspec.yml',
      'buildspec.yaml',
      'cloudbuild.yml',
      'cloudbuild.yaml',
      'codeowners',
    ),
    paths: /\/\.(?:github|gitea|forgejo)\/(?:workflows|actions)(?:\/|$)/u,
  },
  {
    protection: 'write',
    reason: 'hooks, which run on commit or push',
    allowable: true,
    names: exactly(
      '.husky',
      '.huskyrc*',
      '.githooks',
      '.git-hooks',
      '.pre-commit-config.yaml',
      '.pre-commit-config.yml',
      '.pre-commit-hooks.yaml',
      'prek.toml',
      'lefthook*.yml',
      'lefthook*.yaml',
      'lefthook*.toml',
      'lefthook*.json',
      '.lefthook*',
      '.overcommit.yml',
      '.lintstagedrc*',
      'lint-staged.config.*',
      '.simple-git-hooks.*',
      'simple-git-hooks.*',
    ),
  },
  {
    protection: 'write',
    reason: 'configuration of a package manager or build tool, which can run commands',
    allowable: true,
    names: exactly(
      'package.json',
      'package.json5',
      'package.yaml',
      '.yarn',
      '.pnpmfile.cjs',
      '.pnpmfile.mjs',
      '.pnp.cjs',
      '.pnp.loader.mjs',
      'pnpm-workspace.yaml',
      'bunfig.toml',
      '.bazelrc',
      '.mvn',
      'gradle-wrapper.properties',
      'gradle-wrapper.jar',
      'pip.conf',
      'pip.ini',
      '.pydistutils.cfg',
      'sitecustomize.py',
      'usercustomize.py',
      '*.pth',
    ),
    paths: /\/(?:\.cargo\/config(?:\.toml)?|\.bundle\/config)$/u,
  },
  {
    protection: 'write',
    reason: 'start-up configuration of a shell or tool',
    allowable: true,
    names: exactly(
      '.ripgreprc',
      '.direnv',
      '.direnvrc',
      '.mise',
      '.mise*.toml',
      'mise*.toml',
      '.rtx.toml',
      '.tool-versions',
      '.asdfrc',
      '.bashrc',
      '.bash_profile',
      '.bash_login',
      '.bash_logout',
      '.bash_aliases',
      '.profile',
      '.zshrc',
      '.zshenv',
      '.zprofile',
      '.zlogin',
      '.zlogout',
      '.inputrc',
      '.curlrc',
      '.wgetrc',
      '.gdbinit',
      '.lldbinit',
      '.screenrc',
      '.tmux.conf',
      'autorun.inf',
      'desktop.ini',
    ),
  },
  {
    protection: 'write',
    reason: "this server's own configuration",
    allowable: true,
    names: exactly('millwright.json', '.millwright'),
  },
]

const unprotected: Judgement = { protection: 'none', reason: '', allowable: true }

/**
 * Judges paths by name, in any case and compatibility form. `allow` lists the exact paths that the owner opted in, by
 * name, on the machine itself; it never opens git's own folder. Throws as `parseRepositoryPath` does for a bad entry.
 */
export function createProtectedPaths(allow: readonly string[] = []): ProtectedPaths {
  const allowed = new Set<string>(allow.map(parseRepositoryPath))
  return {
    judge(path) {
      const judgement = judgeByName(path)
      return judgement.allowable && allowed.has(path) ? unprotected : judgement
    },
  }
}

function judgeByName(path: RepositoryPath): Judgement {
  // Compatibility form as well: no file system folds that far, but a reader's eye does.
  const folded = path.normalize('NFKC').toLowerCase()
  const names = folded.split('/')
  const rule = rules.find(
    ({ names: namePattern, paths }) =>
      names.some((name) => namePattern?.test(name) === true) || paths?.test(`/${folded}`) === true,
  )

  return rule ?? unprotected
}

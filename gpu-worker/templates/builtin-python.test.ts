import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasPytest, python } from '#test/support/python.ts'
import { renderOk } from '#test/support/template-world.ts'
import { builtinTemplates } from './builtin.ts'

// What the Python templates make, run by the machine's own Python.

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-templates-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes what a template makes and returns its path. */
function make(name: string, values: Record<string, unknown>): string {
  const template = builtinTemplates().get(name)
  if (template === undefined) throw new Error(`No template ${name}`)
  const [made] = renderOk(template, values)
  if (made === undefined) throw new Error(`${name} made nothing`)
  mkdirSync(dirname(join(folder, made.path)), { recursive: true })
  writeFileSync(join(folder, made.path), made.text)
  return made.path
}

/** Runs Python in the folder, with warnings as errors, and returns what it printed. */
function run(...args: string[]): string {
  return execFileSync(python.path ?? '', ['-B', '-W', 'error', ...args], { cwd: folder, encoding: 'utf8' })
}

const check = (source: string): string => run('-c', source).trim()

describe.skipIf(python.path === null)(`what the Python templates make (${python.missing ?? 'run by python3'})`, () => {
  it('python-module is a program with its options', () => {
    const path = make('python-module', {
      name: 'InvoiceExport',
      description: 'Says "hello", 100% and %(prog)s.',
      options: [
        { name: 'folder', description: '100% "quoted" %s' },
        { name: 'maxCount', kind: 'integer' },
        { name: 'ratio', kind: 'number' },
        { name: 'Class', kind: 'flag' },
      ],
    })
    expect(path).toBe('invoice_export.py')
    const out = run(path, '--folder', 'a b', '--max-count', '3', '--class')
    expect(JSON.parse(out)).toEqual({ folder: 'a b', max_count: 3, ratio: 0, class_: true })
    expect(run(path, '--help')).toContain('100% "quoted" %s')
    const wrong = spawnSync(python.path ?? '', [path, '--max-count', 'x'], { cwd: folder, encoding: 'utf8' })
    expect(wrong.status).toBe(2)
  })

  it('python-module works without options', () => {
    expect(JSON.parse(run(make('python-module', { name: 'bare', description: 'Nothing.' })))).toEqual({})
  })

  it('python-class compares, shows itself and makes changed copies', () => {
    const fields = [
      { name: 'number', kind: 'integer' },
      { name: 'isPaid', kind: 'flag' },
      { name: 'lines', kind: 'texts' },
    ]
    make('python-class', { name: 'Invoice', description: 'An invoice.', fields })
    const source = [
      'from invoice import Invoice',
      'a = Invoice(1, False, ["x"])',
      'b = a.replace(is_paid=True)',
      'assert a == Invoice(1, False, ["x"]) and a != b and a != 1',
      'print(repr(b), eval(repr(b)) == b)',
    ]
    expect(check(source.join('\n'))).toBe("Invoice(number=1, is_paid=True, lines=['x']) True")
  })

  it('python-dataclass reads, checks and writes JSON objects', () => {
    const fields = [
      { name: 'id', kind: 'integer' },
      { name: 'note', required: false },
      { name: 'balance', kind: 'number', required: false },
      { name: 'tags', kind: 'texts', required: false },
      { name: 'email', description: 'To write to' },
    ]
    make('python-dataclass', { name: 'User', description: 'A person.', fields })
    const source = [
      'from user import User',
      'def fault(data):',
      '    try: User.from_dict(data)',
      '    except ValueError as error: return str(error).rpartition(": ")[2]',
      'u = User.from_dict({"id": 1, "email": "a@b", "balance": 2})',
      'assert u.to_dict() == {"id": 1, "note": "", "balance": 2, "tags": [], "email": "a@b"}, u.to_dict()',
      'assert u == User(id=1, email="a@b", balance=2)',
      'print(fault({"email": "a"}), fault({"id": True, "email": 1}), fault({"id": 1, "email": "", "x": 1}), fault({"id": 1, "email": "", "tags": [1]}))',
    ]
    expect(check(source.join('\n'))).toBe('id email, id x tags')
  })

  it('python-crud-api keeps records over HTTP', () => {
    const fields = [{ name: 'title' }, { name: 'isDone', kind: 'flag' }]
    const path = make('python-crud-api', { name: 'task', description: 'Tasks.', fields })
    expect(path).toBe('task_api.py')
    const source = [
      'import json, threading, urllib.request, urllib.error',
      'from wsgiref.simple_server import make_server, WSGIRequestHandler',
      'from wsgiref.validate import validator',
      'import task_api',
      'class Quiet(WSGIRequestHandler):',
      '    def log_message(self, *_): pass',
      'server = make_server("127.0.0.1", 0, task_api.TaskApi(task_api.TaskStore()), handler_class=Quiet)',
      'threading.Thread(target=server.serve_forever, daemon=True).start()',
      'def ask(method, path, body=None):',
      '    data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())',
      '    request = urllib.request.Request(f"http://127.0.0.1:{server.server_port}{path}", method=method, data=data)',
      '    try:',
      '        with urllib.request.urlopen(request) as answer: raw, status = answer.read(), answer.status',
      '    except urllib.error.HTTPError as error:',
      '        with error: raw, status = error.read(), error.code',
      '    return [status, json.loads(raw) if raw else None]',
      'task = {"title": "a \\"b\\"", "is_done": False}',
      'out = [ask("POST", "/tasks", task), ask("GET", "/tasks"), ask("GET", "/tasks/1"), ask("PUT", "/tasks/1", {**task, "is_done": True})]',
      'out += [ask("PUT", "/tasks/9", task), ask("DELETE", "/tasks/1"), ask("DELETE", "/tasks/1"), ask("GET", "/tasks/" + "9" * 30)]',
      'out += [ask("POST", "/tasks", {"title": 1}), ask("POST", "/tasks", b"{"), ask("POST", "/tasks", [1]), ask("PATCH", "/tasks"), ask("GET", "/x")]',
      'server.shutdown(); server.server_close()',
      'print(json.dumps(out))',
    ]
    const [created, list, one, changed, ...rest] = JSON.parse(check(source.join('\n'))) as [number, unknown][]
    const task = { id: 1, title: 'a "b"', is_done: false }
    expect([created, list, one]).toEqual([
      [201, task],
      [200, [task]],
      [200, task],
    ])
    expect(changed).toEqual([200, { ...task, is_done: true }])
    expect(rest.map(([status]) => status)).toEqual([404, 204, 404, 404, 400, 400, 400, 405, 404])
    expect(rest[4]).toEqual([400, { error: 'missing, unknown or of another kind: is_done, title' }])
  })

  it.skipIf(!hasPytest)(
    `pytest-suite passes and fails where it must${hasPytest ? '' : ' (skipped: no pytest)'}`,
    () => {
      writeFileSync(
        join(folder, 'sums.py'),
        'def add(a, b):\n    return a + b\n\n\ndef parse(text):\n    return {"n": int(text), "none": None}\n',
      )
      const right = [
        { name: 'adds', function: 'add', arguments: [1, 2], expected: 3 },
        { name: 'reads "3"', function: 'parse', arguments: ['3'], expected: { n: 3, none: null } },
      ]
      const errors = [{ name: 'words', function: 'parse', arguments: ['x'], error: 'ValueError' }]
      const suite = make('pytest-suite', { module: 'sums', cases: right, errors })
      expect(suite).toBe('tests/test_sums.py')
      const pytest = (path: string) =>
        spawnSync(python.path ?? '', ['-B', '-m', 'pytest', '-q', '-p', 'no:cacheprovider', path], {
          cwd: folder,
          encoding: 'utf8',
          env: { ...process.env, PYTHONPATH: folder },
        })
      const passed = pytest(suite)
      expect(passed.stdout).toContain('3 passed')
      make('pytest-suite', {
        module: 'sums',
        cases: [{ name: 'adds wrongly', function: 'add', arguments: [1, 2], expected: 4 }],
      })
      expect(pytest(suite).stdout).toContain('1 failed')
    },
  )
})

import { afterAll, describe, expect, it } from 'vitest'
import type { SourceLanguage } from '../ports/source-parser.ts'
import { createTreeSitterParser } from './tree-sitter-parser.ts'

const parser = createTreeSitterParser()
afterAll(() => parser.close())

/** Each unused name with its line; null where they are not looked for. */
async function unused(language: SourceLanguage, text: string): Promise<string[] | null> {
  const sound = await parser.parse(language, text)
  if (sound.kind !== 'parsed' || sound.faultCount > 0) throw new Error(`not parsed: ${JSON.stringify(sound)}`)
  const outcome = await parser.analyze(language, text)
  if (outcome.kind !== 'analyzed') throw new Error(JSON.stringify(outcome))
  return outcome.unusedImports?.map(({ name, line }) => `${name} ${line}`) ?? null
}

describe('unused imports', () => {
  it.each<[string, SourceLanguage, string, string[] | null]>([
    [
      'of Python, in every form',
      'python',
      'import a\nimport b.c\nimport d as e\nfrom f import g, h as i\nfrom . import j\nfrom k import (\n    l,\n    m,\n)\nm()\n',
      ['a 1', 'b 2', 'e 3', 'g 4', 'i 4', 'j 5', 'l 7'],
    ],
    ['an attribute or a keyword of the same name is no use', 'python', 'import a, b\nc.a(b=1)\n', ['a 1', 'b 1']],
    ['used in an annotation, a decorator, a default', 'python', 'import a, b, c\n@a.x\ndef f(p: b.T = c): pass\n', []],
    [
      'used in an annotation within a string',
      'python',
      'from a import B, C\nx: "list[B | None]" = []\ny = cast("C", x)\n',
      [],
    ],
    ['used in a type comment', 'python', 'from a import B\nx = []  # type: list[B]\n', []],
    ['used in an f-string', 'python', 'import a\nx = f"{a.b!r}"\n', []],
    ['a word in a docstring is no use', 'python', '"""Uses json. And more."""\nimport json\n', ['json 2']],
    [
      'named in __all__',
      'python',
      'from a import b, c, d, e\n__all__ = ["b"]\n__all__ += ("c",)\n__all__.append("d")\n',
      ['e 1'],
    ],
    ['`import a as a` is for others', 'python', 'import a as a\nfrom b import c as c\n', []],
    ['wildcards and the future', 'python', 'from __future__ import annotations\nfrom a import *\n', []],
    [
      'only for types',
      'python',
      'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import B\ndef f(x: "B"): pass\n',
      [],
    ],
    [
      'for their effect',
      'python',
      'import readline\nimport a.models  # noqa: F401\nfrom b import (\n    c,  # noqa\n)\n',
      [],
    ],
    ['a question whether it is there', 'python', 'try:\n    import a\nexcept ImportError:\n    HAS = False\n', []],
    [
      'an attribute of a class',
      'python',
      'class A:\n    from a import b\n    def f(self):\n        import c\n',
      ['c 4'],
    ],
    ['what is read from outside', 'python', 'from a import __version__, version\n', ['version 1']],
    ['in a function', 'python', 'def f():\n    import a\n    import b\n    b()\n', ['a 2']],
    ['a file that says so', 'python', '# ruff: noqa\nimport a\n', []],
    [
      'of TypeScript, in every form',
      'typescript',
      "import a from 'a'\nimport { b, c as d } from 'b'\nimport * as e from 'e'\nimport type F from 'f'\nimport { type G, h } from 'g'\nimport i = require('i')\nh()\n",
      ['a 1', 'b 2', 'd 2', 'e 3', 'F 4', 'G 5', 'i 6'],
    ],
    [
      'a property of the same name is no use',
      'typescript',
      "import { a, b } from 'a'\nc.a({ b: 1 })\n",
      ['a 1', 'b 1'],
    ],
    [
      'used as a type only',
      'typescript',
      "import type { A, B } from 'a'\nimport * as c from 'c'\nlet x: A<typeof y> & c.D\ninterface I extends B {}\n",
      [],
    ],
    [
      'used in shorthand, decorator, extends',
      'typescript',
      "import { a, b, C } from 'a'\n@b class X extends C { y = { a } }\n",
      [],
    ],
    ['exported again', 'typescript', "import { a } from 'a'\nimport b from 'b'\nexport { a }\nexport default b\n", []],
    [
      'another module’s export of the name is no use',
      'typescript',
      "import { a } from 'a'\nexport { a as b } from 'b'\n",
      ['a 1'],
    ],
    ['for their effect', 'typescript', "import './polyfill'\nimport 'reflect-metadata'\n", []],
    [
      'excused by a person',
      'typescript',
      "// eslint-disable-next-line no-unused-vars\nimport a from 'a'\nimport b from 'b'\n",
      ['b 3'],
    ],
    ['a file that says so', 'typescript', "/* eslint-disable */\nimport a from 'a'\n", []],
    [
      'React, where markup needs it',
      'tsx',
      "import React from 'react'\nimport { b } from 'b'\nexport const A = () => <p>x</p>\n",
      ['b 2'],
    ],
    ['React, where there is no markup', 'tsx', "import React from 'react'\nexport const a = 1\n", ['React 1']],
    [
      'what a pragma names',
      'javascript',
      "/** @jsx make @jsxFrag Piece */\nimport { make, Piece } from 'x'\nexport const a = <p />\n",
      [],
    ],
    ['components and their parts', 'tsx', "import { A, b } from 'x'\nexport const c = <A><b.C d={1} /></A>\n", []],
    [
      'types in JSDoc',
      'javascript',
      "import { A, B, c } from 'x'\n/** @type {A} and {@link B} */\nexport let d\n",
      ['c 1'],
    ],
    [
      'of Go, in every form',
      'go',
      'package m\n\nimport (\n\t"fmt"\n\t"math/rand/v2"\n\tx "a/b"\n\t_ "c"\n\t. "d"\n\t"os"\n)\n\nvar y = os.Args\n',
      ['fmt 4', 'rand 5', 'x 6'],
    ],
    ['used in a type only', 'go', 'package m\n\nimport "net/http"\n\nfunc f(r *http.Request) {}\n', []],
    [
      'by the name that a path suggests',
      'go',
      'package m\n\nimport (\n\t"gopkg.in/yaml.v3"\n\t"github.com/x/go-redis/v9"\n)\n\nvar a = yaml.A + redis.B\n',
      [],
    ],
    [
      'not judged where the package may be called otherwise',
      'go',
      'package m\n\nimport "x.y/strange"\n\nvar a = other.B\n',
      [],
    ],
    [
      'judged where every name is explained',
      'go',
      'package m\n\nimport "x.y/strange"\n\nvar b = 1\nvar a = b.C\n',
      ['strange 3'],
    ],
    ['C is no package', 'go', 'package m\n\nimport "C"\n', []],
    [
      'of Java, in every form',
      'java',
      'import a.B;\nimport a.C;\nimport static a.D.e;\nimport static a.D.f;\nimport a.g.*;\nclass X { C c; int y = f(); }\n',
      ['B 1', 'e 3'],
    ],
    [
      'used in annotations, generics, Javadoc',
      'java',
      'import a.B;\nimport a.C;\nimport a.D;\n/** See {@link D}. */\n@B class X extends Y<C> {}\n',
      [],
    ],
    ['not of Rust, whose traits are used without being named', 'rust', 'use std::io::Write;\nfn f() {}\n', null],
    ['not of C', 'c', '#include <stdio.h>\n', null],
    ['not of YAML', 'yaml', 'a: 1\n', null],
  ])('%s (%s)', async (_what, language, text, expected) => {
    expect(await unused(language, text)).toEqual(expected)
  })

  it('are not looked for in a text that does not parse', async () => {
    expect(await parser.analyze('python', 'import a\ndef f(:\n')).toMatchObject({
      unusedImports: null,
      definitions: [],
    })
  })
})

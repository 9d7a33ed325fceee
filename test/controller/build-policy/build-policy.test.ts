import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type BuildPolicy,
  buildRefusal,
  DEFAULT_POLICY,
  imageRefusal,
  type OwnImages,
  ownNamesIn,
} from '../../../controller/build-policy/build-policy.ts';
import { fetchesOf } from '../../../controller/build-policy/fetches-of.ts';

const none = () => 'it is not here';
/** `$<x>` stands for the same with braces. */
const braced = (text: string) => text.replace(/<([^>\n]+)>/g, '{$1}');
function found(text: string, args: Record<string, string> = {}) {
  const steps = fetchesOf(text, args, 'amd64');
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

const refusal = (text: string, policy = DEFAULT_POLICY, args = {}, own: OwnImages = none) =>
  buildRefusal('sources/app/Dockerfile', found(text, args), policy, own);
const said = (text: string, policy: BuildPolicy = DEFAULT_POLICY, args: Record<string, string> = {}) =>
  refusal(text, policy, args)?.message;

const ORDINARY: Record<string, string> = {
  'one stage': 'FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "main.js"]\n',
  'files that are added': 'FROM alpine\nADD app.tar.gz /app\nADD ["a b", "c", "$HOME/x"]\nADD src/$NAME /x\n',
  'arguments before the first stage': 'ARG V=20\nARG BASE=node:$<V>-slim\nFROM $BASE\n',
  'stages, by name and number':
    'FROM golang:1 AS Build\nFROM scratch\nCOPY --from=build /a /a\nCOPY --from=0 /b /b\nFROM BUILD\n',
  'a stage for a platform':
    'FROM --platform=$BUILDPLATFORM golang AS base-amd64\nFROM base-$<TARGETARCH>\nRUN --mount=type=bind,from=base-amd64 true\n',
  'caches and secrets':
    'FROM alpine\nRUN --mount=type=cache,target=/cache/npm --mount=type=secret,id=a npm ci\n',
  'the builder of today': '# syntax=docker/dockerfile:1.7\n# escape=\\\nFROM alpine\n',
  'what RUN fetches':
    'FROM alpine\nRUN wget http://10.0.0.1/x && \\\n  # ADD http://10.0.0.1/x /\n  git clone git@github.com:a/b\n',
  'here-documents':
    'FROM python\nRUN <<EOF\nfrom flask import Flask\nadd x y\nEOF\nCOPY <<-"END" /x\n\tFROM nothing at all\n\tEND\n',
  'a registry with a port': `FROM registry.example:5000/team/app@sha256:${'0'.repeat(64)}`,
  'other line ends': 'FROM alpine\r\nRUN a \\\r\n b\r\n',
  'what no builder takes': 'FROM\nFROM a b c d\nNOTHING x\n',
};

/** Each with the line, and a part of the words. */
const REFUSED: Record<string, [string, RegExp]> = {
  'an address in ADD': [
    'FROM alpine\nADD http://files.example/x /x',
    /Dockerfile:2: ADD http:\/\/files.* RUN|:2: ADD/,
  ],
  'one as JSON': ['FROM alpine\nADD ["https://files.example/x", "/x"]', /:2: ADD https/],
  'one in quotes': ['FROM alpine\nADD "https://files.example/x" /x', /:2: ADD https/],
  'git in ADD': ['FROM alpine\nadd --keep-git-dir=true git@git.example:a/b.git /x', /:2: ADD git@/],
  'git over ssh': ['FROM alpine\nADD someone@git.example:a/b /x', /:2: ADD someone@/],
  'a variable in ADD': ['FROM alpine\nARG X=a\nADD $X /x', /:3: ADD \$X .*variable/],
  'ADD on others': ['FROM alpine\nONBUILD ADD https://files.example/x /x', /:2: ADD/],
  'ADD over two lines': ['FROM alpine\nADD \\\n# why\n https://files.example/x /x', /:2: ADD/],
  'a loopback registry': ['FROM 127.0.0.1:5000/app', /:1: FROM .* own networks/],
  'its name': ['FROM localhost/app AS x', /:1: FROM localhost/],
  'a private one in COPY': ['FROM alpine\nCOPY --from=10.1.2.3/app /a /b', /:2: COPY --from 10\.1\.2\.3/],
  'one in a mount': [
    'FROM alpine\nRUN --mount=type=bind,from=192.168.0.9/x,target=/x true',
    /:2: RUN --mount from/,
  ],
  'one behind an argument': ['ARG R=localhost\nFROM alpine\nFROM $<R>/app', /:3: FROM localhost\/app/],
  'one by default': ['FROM $<R:-169.254.1.1>/app', /:1: FROM 169/],
  'a variable in COPY --from': ['FROM alpine\nCOPY --from=$X /a /b', /:2: COPY --from \$X.*not known/],
  'a form that is not read': ['ARG X=a\nFROM $<X/a/b>', /:2: FROM .*not known/],
  'another syntax': ['# syntax=someone/reads:1\nFROM alpine', /:1: the syntax someone\/reads:1/],
  'an image of hosts': ['FROM hersh/build-0123456789ab', /:1: FROM hersh.* not here/],
  'an image by its id': [`FROM sha256:${'a'.repeat(64)}`, /:1: FROM sha256.* not here/],
  'what begins as JSON': ['{"a": 1}', /:1: .*JSON/],
};

describe('the policy of builds', () => {
  for (const [name, text] of Object.entries(ORDINARY))
    it(`has nothing against ${name}`, () => assert.equal(said(braced(text)), undefined));

  for (const [name, [text, words]] of Object.entries(REFUSED))
    it(`refuses ${name}, with its line`, () => assert.match(said(braced(text)) ?? '', words));

  it('says what is allowed instead', () => {
    const add = refusal('FROM alpine\nADD http://files.example/x /x');
    assert.match(add?.hint ?? '', /RUN with curl.*--build-allow-add on/);
    const from = refusal('FROM 10.0.0.1/x');
    assert.match(from?.hint ?? '', /--build-registries docker\.io,10\.0\.0\.1/);
  });

  it('says how a file of the context is added whose name has a variable in it', () => {
    const text = braced('FROM alpine\nARG VERSION=1\nADD app-$<VERSION>.tar.gz /opt/\n');
    const hint = refusal(text)?.hint ?? '';
    const [, instead = ''] = /\((ADD .*?)\)/.exec(hint) ?? [];
    assert.equal(said(text.replace(/ADD \S+/, instead)), undefined, hint);
    assert.match(instead, /VERSION/);
  });

  it('shows a name that is not known as it is written', () => {
    const text = braced('ARG X=a\nFROM team/$<X/a/b>:1');
    const word = text.split(' ').at(-1) ?? '';
    assert.ok(said(text)?.includes(`FROM ${word}: `), said(text));
  });

  it('says of a line in a here-document why it counts', () => {
    const line = 'ADD http://files.example/x /x';
    assert.match(said(`FROM alpine\nRUN <<EOF\n${line}\nEOF`) ?? '', /:3: ADD .* here-document/);
    assert.match(said('FROM alpine\nRUN <<EOF\nFROM localhost/x\nEOF') ?? '', /:3: FROM .* here-document/);
    const outside = said(`FROM alpine\nRUN <<EOF\nEOF\n${line}`) ?? '';
    assert.match(outside, /:4: ADD/);
    assert.doesNotMatch(outside, /here-document/);
  });

  it('looks at what the build is given, which counts before the default', () => {
    const text = 'ARG BASE=alpine\nFROM $BASE\n';
    assert.equal(said(text, DEFAULT_POLICY, { BASE: 'debian' }), undefined);
    assert.match(said(text, DEFAULT_POLICY, { BASE: 'localhost:5000/x' }) ?? '', /:2: FROM localhost:5000/);
    const syntax = { BUILDKIT_SYNTAX: 'someone/reads' };
    assert.match(said(text, DEFAULT_POLICY, syntax) ?? '', /^spec\.build\.args: the syntax someone/);
  });

  it('lets ADD fetch where the operator allows it, and nothing else', () => {
    const policy = { ...DEFAULT_POLICY, allowAdd: true };
    assert.equal(said('FROM alpine\nADD https://files.example/x $Y /x', policy), undefined);
    assert.match(said('FROM localhost/x', policy) ?? '', /not allowed/);
  });

  it('has images from the registries of a list alone, which may be private', () => {
    const policy = { ...DEFAULT_POLICY, registries: ['10.0.0.1:5000'] };
    assert.equal(said('# syntax=docker/dockerfile:1\nFROM 10.0.0.1:5000/x AS y\nFROM y', policy), undefined);
    assert.match(said('FROM alpine', policy) ?? '', /images come from 10\.0\.0\.1:5000 alone/);
    assert.equal(
      said('FROM index.docker.io/library/alpine', { ...policy, registries: ['docker.io'] }),
      undefined,
    );
    const body = 'FROM 10.0.0.1:5000/x\nRUN <<EOF\nFROM z AS y\nEOF\nCOPY --from=y /a /b';
    assert.match(said(body, policy) ?? '', /:3: FROM z/, 'an older builder reads it');
    const stage = said(body.replace('FROM z', 'FROM 10.0.0.1:5000/z'), policy);
    assert.match(stage ?? '', /:5: COPY --from y/, 'to a newer one there is no such stage');
  });

  it('has a build made on an image of the same user', () => {
    const text = 'FROM hersh/build-0123456789ab\nCOPY --from=hersh/build-ba9876543210 /a /b';
    assert.deepEqual(ownNamesIn(found(text)), ['hersh/build-0123456789ab', 'hersh/build-ba9876543210']);
    assert.equal(
      refusal(text, DEFAULT_POLICY, {}, () => undefined),
      undefined,
    );
    const of = (name: string) => (name.includes('ba98') ? "it is another user's" : undefined);
    assert.match(refusal(text, DEFAULT_POLICY, {}, of)?.message ?? '', /:2: COPY --from hersh.*another/);
  });

  it('has pulls follow the same list', () => {
    assert.equal(imageRefusal('registry.example/a:1', 'spec.image', DEFAULT_POLICY), undefined);
    const refused = imageRefusal('127.0.0.1:5000/a', 'spec.image', DEFAULT_POLICY);
    assert.match(refused?.message ?? '', /^spec\.image 127\.0\.0\.1:5000\/a is not allowed/);
    assert.match(imageRefusal('hersh/build-1', 'spec.image', DEFAULT_POLICY)?.message ?? '', /never pulled/);
  });
});

describe('the policy of builds, whatever is written', () => {
  const word = fc.stringMatching(/^[a-z0-9$'"<>\\ \t=/.:,-]{0,20}$/);
  const keyword = fc.constantFrom('FROM', 'from', 'ARG', 'ADD', 'COPY', 'RUN', 'ONBUILD', '#', '');
  const line = fc
    .tuple(keyword, word, fc.constantFrom('', '\\', ' \\ ', '<<E'))
    .map((parts) => parts.join(' '));
  const lines = fc.array(line, { maxLength: 12 }).map((all) => all.join('\n'));

  it('never throws', () => {
    fc.assert(fc.property(fc.oneof(lines, fc.string()), (text) => void said(text)));
  });

  it('finds an ADD of an address wherever it is an instruction, and whatever stands before', () => {
    const add = '\nADD https://files.example/x /x\n';
    fc.assert(
      fc.property(lines, fc.boolean(), (before, isLong) => {
        // Ends whatever is continued.
        const text = `${before}\nEND${isLong ? '\n#'.repeat(50) : ''}${add}`;
        assert.notEqual(said(text), undefined);
      }),
    );
  });

  it('says the same of continued lines as of one', () => {
    const parts = fc.array(fc.stringMatching(/^[a-z0-9=/.:-]{1,8}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom('FROM', 'ADD', 'COPY --from=x', 'RUN --mount=from=y'), parts, (by, all) => {
        const one = found(`FROM a\n${by} ${all.join(' ')}`);
        assert.deepEqual(found(`FROM a\n${by} ${all.join(' \\\n# why\n\n ')}`), one);
      }),
    );
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveSpec, writtenOut } from '../../schemas/resolve.ts';
import { attemptOf, digest, revisionHash, specHash } from '../../schemas/spec-hash.ts';
import { statusRange, unexpected } from '../../schemas/status-range.ts';
import { accepts, manifest, messages, refuses, type Tree } from './validate-fixture.ts';

const LINE =
  'must be one line of letters, digits, spaces and signs of ASCII: no line break, also none at its end';
const STATUS = 'must be a status code from 200 to 599, or a range of them such as 300-399';

describe('command and args', () => {
  it('are lists of words', () => {
    accepts(manifest({ command: ['node', 'main.mjs', ''], args: ['', 'ä b\n$(X)'] }));
    accepts(manifest({ command: [], args: [] }));
    const list = 'with an entry for each word: ["node", "main.mjs"]';
    refuses(manifest({ command: 'node main.mjs' }), `spec.command must be a list, ${list}`);
    refuses(manifest({ args: { a: 1 } }), `spec.args must be a list, ${list}`);
    refuses(manifest({ args: ['-p', 80] }), 'spec.args.1 must be a string; put it in quotes: "80"');
    refuses(manifest({ args: ['a\0b'] }), 'spec.args.0 must not hold a NUL character');
    refuses(manifest({ command: [''] }), 'spec.command.0 must not be empty: it names what is run');
    refuses(manifest({ commands: ['x'] }), 'spec.commands is not a known field; did you mean command?');
  });

  it('have words of the length that Linux takes', () => {
    // MAX_ARG_STRLEN, with the zero at the end; the kernel refuses the start with E2BIG.
    accepts(manifest({ args: ['x'.repeat(131_071)] }));
    const [long] = messages(manifest({ command: ['run', 'é'.repeat(65_536)] }));
    assert.match(long ?? '', /^spec\.command\.1 is longer than 131071 bytes, /);
  });

  it('leave every hash as it was where there are none, and are another container where there are', () => {
    const spec = (more: Tree) => resolveSpec({ userId: 'u', image: 'i', ...more }, 'runc');
    const hashes = (more: Tree) => {
      const one = spec(more);
      return [specHash(one, 'i', 19001), revisionHash(one, 'i'), attemptOf(one, 'i'), digest(one)];
    };
    // As a host of 39bf78b, which knew of neither, made them.
    assert.deepEqual(hashes({}), RECORDED);
    assert.deepEqual(hashes({ command: [], args: [], readiness: { headers: {} } }), RECORDED);
    const all = [{ args: ['a'] }, { command: ['a'] }, { command: ['a'], args: ['b'] }, { args: ['a', 'b'] }];
    const different = new Set([...all.flatMap(hashes), ...RECORDED]);
    assert.equal(different.size, 4 * (all.length + 1));
  });
});

/** Of `{userId: u, image: i}`: spec hash, revision, attempt and what the generation goes by. */
const RECORDED = [
  'v1:dd20cdfa083ebc09f3d92ffdf491efd0',
  '01c1a05865509a48b4b2cc5e7f469f98',
  '0deebda4754b2c72056f059142505e8c',
  'ff7f09ab1ccaac6bd7f9daf5a4bf2b8a',
];

describe('headers and expect of a probe', () => {
  for (const probe of ['readiness', 'liveness']) {
    const of = (fields: Tree): Tree => manifest({ [probe]: fields });
    const at = `spec.${probe}`;

    it(`are those of HTTP: ${probe}`, () => {
      accepts(of({ headers: { Host: 'app.example', Authorization: 'Bearer a.b-c=', 'x_y.z': '' } }));
      accepts(of({ path: '/', expect: [200, '204', '300-399'], headers: { path: 'a\tb' } }));
      for (const kind of ['tcp', 'none']) {
        refuses(
          of({ [kind]: true, expect: [200] }),
          `${at}.expect is for probes by HTTP: take it out, or ${kind}`,
        );
        refuses(
          of({ [kind]: true, headers: {} }),
          `${at}.headers is for probes by HTTP: take it out, or ${kind}`,
        );
      }
    });

    it(`have names and values that HTTP has: ${probe}`, () => {
      for (const name of ['', 'a b', 'a:b', 'a\nb', 'ä', '(a)'])
        assert.match(
          messages(of({ headers: { [name]: 'x' } }))[0] ?? '',
          /is not a valid name: use letters, digits, "-"/,
        );
      for (const name of [
        'Connection',
        'keep-alive',
        'TE',
        'Trailer',
        'Transfer-Encoding',
        'Upgrade',
        'proxy-connection',
      ])
        refuses(
          of({ headers: { [name]: 'x' } }),
          `${at}.headers.${name} speaks of the connection, which is the host's: leave it out`,
        );
      for (const name of ['Content-Length', 'Expect'])
        refuses(
          of({ headers: { [name]: '1' } }),
          `${at}.headers.${name} speaks of a body, which a probe has none of: leave it out`,
        );
      refuses(
        of({ headers: { Host: 'a', host: 'b' } }),
        `${at}.headers.host is Host again, since case does not count: keep one`,
      );
      for (const value of ['a\r\nb', 'a\n', '\0', 'ä', '\u007f'])
        refuses(of({ headers: { A: value } }), `${at}.headers.A ${LINE}`);
      refuses(of({ headers: { A: 1 } }), `${at}.headers.A must be a string; put it in quotes: "1"`);
      refuses(of({ headers: ['A: b'] }), `${at}.headers must be a mapping`);
    });

    it(`expect status codes and ranges: ${probe}`, () => {
      for (const wrong of [199, 600, 200.5, '2xx', '', '399-300', '200-600', '200 - 299', '-300'])
        assert.deepEqual(
          messages(of({ expect: [200, wrong] })).map((one) => one.replace('an integer or a string', '')),
          [wrong === 200.5 ? `${at}.expect.1 must be ` : `${at}.expect.1 ${STATUS}`].concat(
            wrong === 200.5 ? [`${at}.expect.1 ${STATUS}`] : [],
          ),
        );
      refuses(of({ expect: '200-399' }), `${at}.expect must be a list, such as [200, "300-399"]`);
      refuses(of({ expect: 200 }), `${at}.expect must be a list, such as [200, "300-399"]`);
      assert.equal(messages(of({ expect: [] })).length, 1);
    });
  }

  it('mean the same when they are written out', () => {
    const readiness = { path: '/', headers: { Host: 'a' }, expect: [200, '300-399'] };
    const spec = resolveSpec({ userId: 'u', image: 'i', command: ['a'], args: ['b'], readiness }, 'runc');
    assert.deepEqual(resolveSpec(writtenOut(spec), 'runc'), spec);
    accepts({ ...manifest(), spec: writtenOut(spec) });
  });

  it('tell what is a success, 2xx where nothing is said', () => {
    assert.deepEqual(
      [statusRange(204), statusRange('204'), statusRange('300-399')],
      [
        [204, 204],
        [204, 204],
        [300, 399],
      ],
    );
    assert.deepEqual(
      [299, 300, 199].map((status) => unexpected(status)),
      ['', '300', '199'],
    );
    const expect = [401, '200-399'];
    assert.deepEqual(
      [200, 302, 401].map((status) => unexpected(status, expect)),
      ['', '', ''],
    );
    assert.equal(unexpected(404, expect), '404, which is none of 401, 200-399');
  });
});

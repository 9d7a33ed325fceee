import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerReader, type Piece } from '../../../api/proxy/answer-reader.ts';
import { createLlhttp } from '../../../api/proxy/llhttp.ts';

const BYTES_MAX = 128 * 1024;
const llhttp = createLlhttp(BYTES_MAX);

interface Read {
  status: number;
  phrase: string;
  raw: string[];
  body: string;
  isLast: boolean;
  trailers: string[];
  keepsAlive: boolean;
  code: string;
}

/** What is made of bytes that come in these parts, and then of the end of the connection where `ends`. */
function reading(parts: readonly string[], { isHead = false, ends = false } = {}): Read {
  const input = Buffer.alloc(BYTES_MAX);
  const reader = new AnswerReader(llhttp, input);
  const pieces: Piece[] = [];
  let error: Error | undefined;
  reader.begin(isHead);
  for (const part of parts) {
    error ??= reader.read(input.write(part, 'latin1'));
    pieces.push(reader.take());
    // Another connection reads into the same.
    input.fill('x');
  }
  if (ends) {
    error ??= reader.end();
    pieces.push(reader.take());
  }
  const heads = pieces.flatMap(({ head }) => head ?? []);
  assert.ok(heads.length < 2, `${heads.length} heads`);
  const read: Read = {
    ...(heads[0] ?? { status: 0, phrase: '' }),
    raw: (heads[0]?.raw ?? []).map(String),
    body: Buffer.concat(pieces.flatMap(({ body }) => body)).toString('latin1'),
    isLast: pieces.some(({ isLast }) => isLast),
    trailers: pieces.flatMap(({ trailers }) => trailers),
    keepsAlive: reader.keepsAlive,
    code: (error as (Error & { code?: string }) | undefined)?.code ?? '',
  };
  reader.free();
  return read;
}

const ANSWERS = {
  length: 'HTTP/1.1 200 Caf\u00e9 ist gut\r\nContent-Length: 5\r\nX-Empty:\r\nX-A: \u00fc b\r\n\r\nhello',
  chunked:
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n',
  interim:
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n',
  empty: 'HTTP/1.1 204 Nothing\r\nETag: "x"\r\n\r\n',
  closing: 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
};

test('an answer is the same wherever it was cut in two, or into single bytes', () => {
  for (const [name, text] of Object.entries(ANSWERS)) {
    const whole = reading([text]);
    assert.ok(whole.isLast && whole.code === '', name);
    for (let at = 1; at < text.length; at++) {
      assert.deepEqual(reading([text.slice(0, at), text.slice(at)]), whole, `${name} at ${at}`);
    }
    assert.deepEqual(reading([...text]), whole, name);
  }
  assert.deepEqual(reading([ANSWERS.length]), {
    ...{ status: 200, phrase: 'Caf\u00e9 ist gut', body: 'hello', isLast: true, trailers: [] },
    raw: ['Content-Length', '5', 'X-Empty', '', 'X-A', '\u00fc b'],
    ...{ keepsAlive: true, code: '' },
  });
  const chunked = reading([ANSWERS.chunked]);
  assert.deepEqual([chunked.body, chunked.trailers], ['hello', ['X-Sum', '1', 'X-B', '2']]);
  const last = reading([ANSWERS.interim]);
  assert.deepEqual([last.status, last.phrase, last.raw], [404, 'No', ['Content-Length', '0']]);
  assert.equal(reading([ANSWERS.closing]).keepsAlive, false);
});

test('without a length the answer ends with the connection, and with one it must not', () => {
  const open = reading(['HTTP/1.1 200 OK\r\n\r\nhel', 'lo'], { ends: true });
  assert.deepEqual([open.body, open.isLast, open.code, open.keepsAlive], ['hello', true, '', false]);
  const short = ['HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello'];
  const cut = reading(short, { ends: true });
  assert.deepEqual([cut.body, cut.isLast], ['hello', false]);
  assert.match(cut.code, /^HPE_/);
  assert.equal(reading([], { ends: true }).isLast, false);
});

test('to a HEAD there is no body, whatever the length', () => {
  const read = reading([ANSWERS.length.slice(0, -5)], { isHead: true });
  assert.deepEqual([read.isLast, read.body, read.raw[1]], [true, '', '5']);
});

test('bytes behind the end are no part of the answer, and nothing more is asked over that connection', () => {
  for (const behind of ['hello', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno', '\r\nx']) {
    const read = reading([ANSWERS.length + behind]);
    assert.deepEqual(
      [read.body, read.isLast, read.code, read.keepsAlive],
      ['hello', true, '', false],
      behind,
    );
  }
});

test('what is not plainly one answer is refused', () => {
  for (const text of [
    'nonsense\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX : a\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nok\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokk\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
    'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    'HTTP/1.7 200 OK\r\n\r\n',
  ]) {
    const { code, isLast, keepsAlive } = reading([text]);
    assert.match(code, /^HPE_\d+$/, text);
    assert.deepEqual([isLast, keepsAlive], [false, false], text);
  }
});

test('a head may have 64 KiB, in one piece and in many', () => {
  const head = (bytes: number) => `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ${'a'.repeat(bytes)}\r\n\r\n`;
  const split = (text: string) => text.match(/[\s\S]{1,1000}/g) ?? [];
  for (const parts of [(text: string) => [text], split]) {
    assert.equal(reading(parts(head(65_000))).isLast, true);
    const { code, isLast } = reading(parts(head(66_000)));
    assert.deepEqual([code, isLast], ['HEADERS_TOO_LONG', false]);
  }
});

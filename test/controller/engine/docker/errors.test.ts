import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  buildError,
  diskFull,
  engineError,
  failureOf,
  isNetworkMissing,
  startError,
  unavailable,
} from '../../../../controller/engine/docker/errors.ts';
import { AppError, type Reason } from '../../../../schemas/errors.ts';

function coded(code: string): Error {
  return Object.assign(new Error(`connect ${code} /var/run/docker.sock`), { code });
}

/** As docker-modem throws it. */
function answered(statusCode: number, message: string, json: unknown = { message }): Error {
  return Object.assign(new Error(`(HTTP code ${statusCode}) server error - ${message} `), {
    statusCode,
    json,
  });
}

describe('failureOf', () => {
  it('gives the words of the engine, from JSON or from the message', () => {
    assert.deepEqual(failureOf(answered(500, 'no - really')), { status: 500, message: 'no - really' });
    assert.deepEqual(failureOf(answered(404, 'two\nlines', null)), { status: 404, message: 'two\nlines' });
    assert.deepEqual(failureOf('odd'), { status: 0, message: 'odd' });
  });
});

describe('engineError', () => {
  const table: [string, unknown, Reason][] = [
    ...['ECONNREFUSED', 'ENOENT', 'EACCES', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'].map(
      (code): [string, unknown, Reason] => [code, coded(code), 'EngineUnavailable'],
    ),
    ['a hang-up', new Error('socket hang up'), 'EngineUnavailable'],
    ['a broken stream', new Error('aborted'), 'EngineUnavailable'],
    [
      'a time-out',
      AbortSignal.timeout(0).reason ?? new DOMException('late', 'TimeoutError'),
      'EngineUnavailable',
    ],
    ['a gateway', answered(503, 'busy'), 'EngineUnavailable'],
    [
      'a dying engine',
      answered(500, 'rpc error: code = Unavailable desc = transport is closing'),
      'EngineUnavailable',
    ],
    ['a refusal', answered(500, 'no space left on device'), 'StartFailed'],
    ['a port as a word of a refusal to create', answered(400, 'invalid port'), 'StartFailed'],
    ['what is ours already', new AppError('ImageNotFound', 'x'), 'ImageNotFound'],
  ];
  for (const [name, error, reason] of table) {
    it(`${name} is ${reason}`, () => assert.equal(engineError(error, 'StartFailed').reason, reason));
  }

  it('says what to do where the socket is not ours to open', () => {
    assert.match(unavailable(coded('EACCES')).hint ?? '', /docker group/);
    assert.match(unavailable(coded('ENOENT')).hint ?? '', /Start the Docker engine/);
  });
});

describe('startError', () => {
  const table: [string, Reason][] = [
    [
      'driver failed programming external connectivity: Bind for 127.0.0.1:1 failed: port is already allocated',
      'PortConflict',
    ],
    [
      'Error starting userland proxy: listen tcp4 127.0.0.1:19001: bind: address already in use',
      'PortConflict',
    ],
    ['Ports are not available: exposing port TCP 127.0.0.1:1', 'PortConflict'],
    ['exec: "/x": no such file or directory', 'StartFailed'],
    ['network 0123abc not found', 'StartFailed'],
  ];
  for (const [message, reason] of table) {
    it(`${message}: ${reason}`, () => {
      const error = startError(answered(500, message));
      assert.equal(error.reason, reason);
      assert.equal(error.message, message);
    });
  }

  it('knows a missing network', () => {
    assert.equal(isNetworkMissing(answered(404, 'network 0123abc not found')), true);
    assert.equal(isNetworkMissing(answered(404, 'No such container: x')), false);
  });
});

describe('buildError', () => {
  const host = 'failed to do request: Head "https://images.invalid/v2/x/manifests/1"';
  const table: [name: string, message: string, tail: string, reason: Reason][] = [
    [
      'a registry out of reach',
      `${host}: dial tcp: lookup images.invalid: no such host`,
      '',
      'BuildNetworkFailed',
    ],
    ['a slow registry', `${host}: net/http: TLS handshake timeout`, '', 'BuildNetworkFailed'],
    [
      'a refused connection',
      `${host}: dial tcp 10.0.0.1:443: connect: connection refused`,
      '',
      'BuildNetworkFailed',
    ],
    ['a cut connection', `${host}: EOF`, '', 'BuildNetworkFailed'],
    [
      'a private image',
      'pull access denied, repository does not exist or may require authorization',
      '',
      'BuildFailed',
    ],
    [
      'an image that was removed meanwhile (28.5.2, containerd store)',
      'failed to prepare extraction snapshot "extract-5-k sha256:b2": parent snapshot sha256:60 does not exist: not found',
      '',
      'BuildNetworkFailed',
    ],
    ['a missing tag', 'images.invalid/no/such:1: not found', '', 'BuildFailed'],
    [
      'a step without network',
      'exit code: 1',
      'dial tcp: lookup proxy.example: no such host',
      'BuildNetworkFailed',
    ],
    [
      'apt without network',
      'exit code: 100',
      "Temporary failure resolving 'deb.example'",
      'BuildNetworkFailed',
    ],
    ['npm without network', 'exit code: 1', 'npm error code ENOTFOUND', 'BuildNetworkFailed'],
    [
      'a failing step',
      'executor failed running [go build]: exit code: 2',
      './main.go:3: undefined: x',
      'BuildFailed',
    ],
    ['a missing file', 'failed to compute cache key: "/x" not found: not found', '', 'BuildFailed'],
    [
      'a full disk of the engine',
      'failed to solve: failed to copy: write /var/lib/docker/overlay2/x/diff/y: no space left on device',
      '',
      'DiskFull',
    ],
    [
      'a full disk that a step met',
      'executor failed running [apt-get install -y x]: exit code: 100',
      'cannot copy extracted data: failed to write (No space left on device)',
      'DiskFull',
    ],
    ['a quota', 'write /var/lib/docker/tmp/x: disk quota exceeded', '', 'DiskFull'],
    [
      'an engine that goes down',
      'rpc error: code = Canceled desc = context canceled',
      '',
      'EngineUnavailable',
    ],
  ];
  for (const [name, message, tail, reason] of table) {
    it(`${name} is ${reason}`, () => assert.equal(buildError(message, tail).reason, reason));
  }

  it('says what to do about a full disk', () => {
    assert.match(buildError('write /x: no space left on device', '').hint ?? '', /docker builder prune/);
    assert.equal(diskFull('manifest unknown'), undefined);
    assert.equal(diskFull('x could not be pulled: write /y: no space left on device')?.reason, 'DiskFull');
  });

  it('leaves out the names of the machinery', () => {
    const message =
      'failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: unknown instruction: FOO';
    assert.equal(buildError(message, '').message, 'dockerfile parse error line 2: unknown instruction: FOO');
  });
});

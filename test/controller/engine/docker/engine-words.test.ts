import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  buildError,
  isNetworkMissing,
  startError,
  streamError,
} from '../../../../controller/engine/docker/errors.ts';
import type { Reason } from '../../../../schemas/errors.ts';

/**
 * What each engine says for each kind of failure, as it said it: 20.10.24, 26.1.5 and 28.5.2, the latter on both image
 * stores, where they differ.
 */

const FILE = /build context/;
const BASE = /base image/;
const LLB = 'failed to solve with frontend dockerfile.v0: failed to create LLB definition: ';
const CHECKSUM =
  'failed to compute cache key: failed to calculate checksum of ref 08bd27c8-41d8::spqgszgvll: ';
const SOURCE = 'failed to resolve source metadata for';
const HEAD = 'failed to do request: Head "https://images.invalid/v2/no/such/manifests/1"';

type Row = [failure: string, engine: string, words: string, reason: Reason, hint: RegExp | undefined];

const BUILDS: readonly Row[] = [
  [
    'no such file',
    '20.10',
    'failed to compute cache key: "/a/nothing" not found: not found',
    'BuildFailed',
    FILE,
  ],
  ['no such file', '26.1, 28.5', `${CHECKSUM}"/a/nothing": not found`, 'BuildFailed', FILE],
  [
    'no such file in a stage',
    '20.10',
    'failed to compute cache key: failed to walk /var/lib/docker/tmp/buildkit-mount1199517121/app: lstat /var/lib/docker/tmp/buildkit-mount1199517121/app: no such file or directory',
    ...(['BuildFailed', FILE] as const),
  ],
  [
    'no such file in a stage',
    '26.1',
    `${CHECKSUM}failed to walk /var/lib/docker/tmp/buildkit-mount1778039814/app: lstat /var/lib/docker/tmp/buildkit-mount1778039814/app: no such file or directory`,
    ...(['BuildFailed', FILE] as const),
  ],
  ['no such file in a stage', '28.5', `${CHECKSUM}"/app/out": not found`, 'BuildFailed', FILE],
  ['no such base', '20.10', `${LLB}127.0.0.1:5000/no/such:1: not found`, 'BuildFailed', BASE],
  [
    'no such base',
    '26.1, 28.5',
    `127.0.0.1:5000/no/such:1: ${SOURCE} 127.0.0.1:5000/no/such:1: 127.0.0.1:5000/no/such:1: not found`,
    ...(['BuildFailed', BASE] as const),
  ],
  [
    'a registry that is away',
    '20.10',
    `${LLB}${HEAD}: dial tcp: lookup images.invalid on 10.0.0.53:53: no such host`,
    ...(['BuildNetworkFailed', undefined] as const),
  ],
  [
    'a registry that is away',
    '26.1, 28.5',
    `images.invalid/no/such:1: ${SOURCE} images.invalid/no/such:1: ${HEAD}: dial tcp: lookup images.invalid on 10.0.0.53:53: dial udp 10.0.0.53:53: connect: network is unreachable`,
    ...(['BuildNetworkFailed', undefined] as const),
  ],
  [
    'an ADD that finds nobody',
    '20.10, 26.1, 28.5',
    'failed to load cache key: Get "http://127.0.0.1:41735/x": dial tcp 127.0.0.1:41735: connect: connection refused',
    ...(['BuildNetworkFailed', undefined] as const),
  ],
  [
    'a failing step',
    '20.10',
    'executor failed running [/busybox sh -c exit 3]: exit code: 3',
    'BuildFailed',
    undefined,
  ],
  [
    'a failing step',
    '26.1, 28.5',
    'process "/busybox sh -c exit 3" did not complete successfully: exit code: 3',
    ...(['BuildFailed', undefined] as const),
  ],
  [
    'no such user',
    '26.1, 28.5',
    'process "/busybox true" did not complete successfully: unable to find user nosuch: invalid argument',
    ...(['BuildFailed', undefined] as const),
  ],
  [
    'no such word',
    '20.10',
    `${LLB}dockerfile parse error line 2: unknown instruction: FOO`,
    'BuildFailed',
    undefined,
  ],
  [
    'no such word',
    '26.1, 28.5',
    'dockerfile parse error on line 2: unknown instruction: FOO (did you mean FROM?)',
    ...(['BuildFailed', undefined] as const),
  ],
  [
    'no Dockerfile',
    '20.10',
    'failed to solve with frontend dockerfile.v0: failed to read dockerfile: open /var/lib/docker/tmp/buildkit-mount177304014/Nope: no such file or directory',
    ...(['BuildFailed', undefined] as const),
  ],
  [
    'no Dockerfile',
    '26.1, 28.5',
    'failed to read dockerfile: open Nope: no such file or directory',
    'BuildFailed',
    undefined,
  ],
  [
    'a command whose own words are those of a reason',
    '20.10',
    'executor failed running [/bin/sh -c echo no space left on device, connection refused; exit 1]: exit code: 1',
    ...(['BuildFailed', undefined] as const),
  ],
  [
    'a command whose own words are those of a reason',
    '26.1, 28.5',
    'process "/bin/sh -c echo no space left on device, \\"x/y: not found\\"; exit 1" did not complete successfully: exit code: 1',
    ...(['BuildFailed', undefined] as const),
  ],
];

describe('why a build failed', () => {
  for (const [failure, engine, words, reason, hint] of BUILDS) {
    it(`${failure} (${engine}): ${reason}`, () => {
      const error = buildError(words, '');
      assert.equal(error.reason, reason);
      if (hint === undefined) assert.equal(error.hint, undefined);
      else assert.match(error.hint ?? '', hint);
      assert.doesNotMatch(
        error.message,
        /LLB|of ref|buildkit-mount/,
        'what differs from try to try is left out',
      );
    });
  }

  it('is not the network where a shell found no end of its script', () => {
    const tail = '/bin/bash: -c: line 1: unexpected EOF while looking for matching `"\'';
    assert.equal(buildError('exit code: 2', tail).reason, 'BuildFailed');
  });
});

describe('why a start failed', () => {
  const on = 'on endpoint some_name (cf33f67f7dff)';
  const table: readonly [engine: string, words: string, reason: Reason][] = [
    [
      '20.10, 26.1',
      `driver failed programming external connectivity ${on}: Error starting userland proxy: listen tcp4 127.0.0.1:37455: bind: address already in use`,
      'PortConflict',
    ],
    [
      '28.5',
      `failed to set up container networking: driver failed programming external connectivity ${on}: failed to bind host port for 127.0.0.1:37311:172.17.0.2:8080/tcp: address already in use`,
      'PortConflict',
    ],
    ['29.7', 'failed to bind host port 127.0.0.1:21951/tcp: address already in use', 'PortConflict'],
    [
      '20.10, 26.1',
      `driver failed programming external connectivity ${on}: Bind for 127.0.0.1:29999 failed: port is already allocated`,
      'PortConflict',
    ],
    [
      '28.5',
      `failed to set up container networking: driver failed programming external connectivity ${on}: Bind for 127.0.0.1:29999 failed: port is already allocated`,
      'PortConflict',
    ],
    [
      '20.10',
      'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/nothing": stat /nothing: no such file or directory: unknown',
      'StartFailed',
    ],
    ['all', 'unable to find user nosuch: no matching entries in passwd file', 'StartFailed'],
  ];
  for (const [engine, message, reason] of table) {
    it(`${message} (${engine}): ${reason}`, () => {
      assert.equal(startError({ statusCode: 500, json: { message } }).reason, reason);
    });
  }

  it('is a network that is gone, in the words of each engine', () => {
    for (const message of [
      'network x not found',
      'failed to set up container networking: network x not found',
    ])
      assert.equal(isNetworkMissing({ statusCode: 404, json: { message } }), true, message);
  });
});

describe('streamError', () => {
  it('reads errorDetail first, since error goes with newer versions of the API', () => {
    assert.equal(streamError({ errorDetail: { message: 'new' }, error: 'old' }), 'new');
    assert.equal(streamError({ errorDetail: { message: 'new' } }), 'new');
    assert.equal(streamError({ error: 'old' }), 'old');
    assert.equal(streamError({ errorDetail: { code: 3 } }), '{"code":3}');
    assert.equal(streamError({}), undefined);
  });
});

import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { ProgramStore } from '../deps.ts';
import { OWN_HEADERS } from '../errors.ts';
import { type Coding, chooseCoding } from '../http/accept.ts';
import { listed, quoted } from '../http/etags.ts';
import type { ProgramView } from '../program-answers.ts';

/** What fits into one packet is sent as it is, in bytes. */
const CODED_BYTES_MIN = 1_400;
/** Quick ones: better ones take ten times as long for a third less. */
const GZIP_LEVEL = 1;
const BROTLI_QUALITY = 1;

/** The list of all programs as it is now. */
export interface KeptList {
  body: Buffer;
  /** Without quotes; another for each coding. */
  etag(coding: Coding): string;
  /** Made once, when first asked for. */
  coded(coding: Coding): Buffer | Promise<Buffer>;
}

/** An answer with nothing of a library around it. */
export interface ListAnswer {
  status: 200 | 304;
  headers: Record<string, string> & { Vary: string };
  /** None with 304. */
  body?: Buffer | Promise<Buffer>;
}

/**
 * Gives the list, joined anew when a view has changed; the same one where what is shown has not. Only the last is kept.
 * @param join makes the JSON of a list
 */
export function keepList(
  programs: ProgramStore,
  join: (views: readonly ProgramView[]) => Buffer,
): () => KeptList {
  // A host that starts counts anew: its tags must be none that another one gave.
  const boot = randomBytes(6).toString('hex');
  let count = 0;
  let kept: { version: number; list: KeptList } | undefined;
  return () => {
    const version = programs.version();
    if (kept?.version !== version) {
      const body = join(programs.list());
      const isSame = kept?.list.body.equals(body) === true;
      const list = isSame && kept !== undefined ? kept.list : keptList(`${boot}-${++count}`, body);
      kept = { version, list };
    }
    return kept.list;
  };
}

/** Without `Content-Type` and `Content-Length`. A header of the request is undefined where it has none. */
export function answerList(
  list: KeptList,
  acceptEncoding: string | undefined,
  ifNoneMatch: string | undefined,
): ListAnswer {
  const isThere = (one: Coding) => one === 'identity' || list.body.byteLength >= CODED_BYTES_MIN;
  // A client that takes nothing that is there gets it as it is, which it may read all the same.
  const coding = (acceptEncoding && chooseCoding(acceptEncoding, isThere)) || 'identity';
  const etag = list.etag(coding);
  const headers = { ...OWN_HEADERS, ETag: quoted(etag), Vary: 'Accept-Encoding' };
  if (ifNoneMatch !== undefined && listed(ifNoneMatch, etag, true)) return { status: 304, headers };
  const coded = coding === 'identity' ? headers : { ...headers, 'Content-Encoding': coding };
  return { status: 200, headers: coded, body: list.coded(coding) };
}

const CODERS = {
  gzip: (body: Buffer) => promisify(gzip)(body, { level: GZIP_LEVEL }),
  br(body: Buffer) {
    const { BROTLI_PARAM_QUALITY: quality, BROTLI_PARAM_SIZE_HINT: size } = constants;
    return promisify(brotliCompress)(body, {
      params: { [quality]: BROTLI_QUALITY, [size]: body.byteLength },
    });
  },
} as const;

function keptList(mark: string, body: Buffer): KeptList {
  const forms = new Map<Coding, Promise<Buffer>>();
  return {
    body,
    etag: (coding) => (coding === 'identity' ? mark : `${mark}-${coding}`),
    coded(coding) {
      if (coding === 'identity') return body;
      let form = forms.get(coding);
      if (form === undefined) {
        form = CODERS[coding](body);
        forms.set(coding, form);
      }
      return form;
    },
  };
}

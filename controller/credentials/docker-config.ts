import { constants, open } from 'node:fs/promises';
import { codeOf } from '../../schemas/errors.ts';
import { isRecord } from '../../schemas/is-record.ts';
import type { RegistryAuth } from '../engine/engine.ts';

/** More than anybody is logged in to. */
const FILE_BYTES_MAX = 2 ** 20;

/** Under which docker keeps those of its own registry. */
const HUB_KEY = 'https://index.docker.io/v1/';
const HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);
/** A part of a file name, and nothing that a path could be made of. */
const HELPER_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Why credentials can not be had: names the file or the helper, and what to do. It holds nothing of what is in them. */
export class CredentialTrouble extends Error {}

/** What of `config.json` says who somebody is, by `registryKey`. */
export interface DockerConfig {
  file: string;
  auths: ReadonlyMap<string, Record<string, unknown>>;
  helpers: ReadonlyMap<string, unknown>;
  /** The helper of every registry that has none of its own; undefined for none. */
  store: unknown;
}

/**
 * A registry as docker looks it up: host and port, without scheme and path, and one key for all names of its own.
 * @param name as in a reference, in a config file, or as BuildKit asks for it
 */
export function registryKey(name: string): string {
  const [host = ''] = name
    .replace(/^https?:\/\//i, '')
    .toLowerCase()
    .split('/');
  return HUB_NAMES.has(host) ? HUB_KEY : host;
}

/** Reads a file as `docker login` writes it. Rejects `CredentialTrouble`. */
export async function readDockerConfig(file: string): Promise<DockerConfig> {
  const config = parsed(file, await textOf(file));
  const table = (field: string): [string, unknown][] => {
    const value = config[field] ?? {};
    if (!isRecord(value)) throw unusable(file, `its ${field} is no object`);
    return byKey(Object.entries(value));
  };
  const auths = table('auths').map(([key, entry]): [string, Record<string, unknown>] => {
    if (!isRecord(entry)) throw unusable(file, `its entry for ${key} is no object`);
    return [key, entry];
  });
  const store = config.credsStore === '' ? undefined : config.credsStore;
  return { file, auths: new Map(auths), helpers: new Map(table('credHelpers')), store };
}

/** One that is written as it is looked up counts before others of the same registry. */
function byKey(entries: [string, unknown][]): [string, unknown][] {
  const keyed = entries.map(([name, value]) => ({ key: registryKey(name), name, value }));
  const isExact = ({ key, name }: { key: string; name: string }) => Number(key === name);
  return keyed.sort((a, b) => isExact(a) - isExact(b)).map(({ key, value }) => [key, value]);
}

async function textOf(file: string): Promise<string> {
  try {
    // A pipe would be waited for without an end, by the start of the host too.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw unusable(file, 'it is no file');
      if (stat.size > FILE_BYTES_MAX) throw unusable(file, `it is larger than ${FILE_BYTES_MAX} bytes`);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof CredentialTrouble) throw error;
    throw unusable(file, `it can not be read (${codeOf(error) || 'unknown error'})`);
  }
}

function parsed(file: string, text: string): Record<string, unknown> {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    // Not the parser's words: they cite what is there.
    throw unusable(file, 'it is not JSON');
  }
  if (!isRecord(config)) throw unusable(file, 'it is no JSON object');
  return config;
}

function unusable(file: string, why: string): CredentialTrouble {
  return new CredentialTrouble(
    `the docker config file ${file} is not used, since ${why}: write it anew with docker login, or correct --docker-config or --docker-config-for`,
  );
}

/** The name of the helper that has those of a registry; undefined for none. Throws `CredentialTrouble`. */
export function helperOf({ file, helpers, store }: DockerConfig, key: string): string | undefined {
  const name = helpers.has(key) ? helpers.get(key) : store;
  // An empty one is how docker is told that for this registry the file itself counts, whatever has all others.
  if (name === undefined || name === null || name === '') return undefined;
  if (typeof name === 'string' && HELPER_PATTERN.test(name)) return name;
  throw unusable(file, `the name of the credential helper for ${key} is none`);
}

/** What the file itself has for a registry. Throws `CredentialTrouble`. */
export function authOf({ file, auths }: DockerConfig, key: string): RegistryAuth | undefined {
  const entry = auths.get(key);
  const text = (field: string): string => {
    const value = entry?.[field] ?? '';
    if (typeof value !== 'string') throw unusable(file, `${field} of its entry for ${key} is no text`);
    return value;
  };
  const token = text('identitytoken');
  if (token !== '') return { kind: 'identity', token };
  const [username, password] =
    text('auth') === '' ? [text('username'), text('password')] : decoded(file, key, text('auth'));
  return username === '' && password === '' ? undefined : { kind: 'password', username, password };
}

/** `user:password` in base 64, of which the password may hold more of `:`. */
function decoded(file: string, key: string, auth: string): [string, string] {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const at = text.indexOf(':');
  if (at < 1) throw unusable(file, `auth of its entry for ${key} is no user:password in base64`);
  // As docker does, which some wrote with a NUL at its end.
  return [text.slice(0, at), text.slice(at + 1).replace(/\0+$/, '')];
}

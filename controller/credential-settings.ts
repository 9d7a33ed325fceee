import { readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { USER_ID_PATTERN } from '../schemas/program.ts';
import type { CredentialFiles } from './credentials/credentials.ts';
import { type Given, refuse } from './option.ts';

/**
 * Which config files are given. Throws `BadRequest` that names the setting, also for one that lies in the registry, by
 * its name or really, as links lead now.
 * @param registry its absolute path
 * @param all everybody's, @param some those of one user each, as USER=FILE; `""` for none
 * @param pathOf makes a path absolute
 */
export function credentialFiles(
  registry: string,
  all: Given,
  some: readonly Given[],
  pathOf: (text: string) => string,
): CredentialFiles {
  const fileOf = (given: Given, text: string): string => fileOutside(registry, given, pathOf(text));
  const byUser = new Map<string, string>();
  for (const given of some.filter(({ text }) => text !== '')) {
    const [, user = '', file = ''] = /^([^=]+)=(.+)$/.exec(given.text) ?? [];
    if (!USER_ID_PATTERN.test(user) || byUser.has(user))
      throw refuse(given, 'USER=FILE, each user once, such as me=/etc/hersh/me.json');
    byUser.set(user, fileOf(given, file));
  }
  return Object.freeze({ all: all.text === '' ? undefined : fileOf(all, all.text), byUser });
}

/** The path, where it lies outside the registry. Throws as `refuse`. */
export function fileOutside(registry: string, given: Given, path: string): string {
  if (!isBelow(path, registry) && !placesOf(registry).some((place) => isBelow(realOf(path), place)))
    return path;
  throw refuse(
    given,
    'a file outside the registry, links followed, since builds and commits take what lies there',
  );
}

/** Where a registry really lies, and what is a link in it, such as a `sources` on another disk. */
function placesOf(registry: string): string[] {
  return [realOf(registry), ...namesIn(registry).map((name) => realOf(join(registry, name)))];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It is made when the host starts, or can not be read, which is told then.
    return [];
  }
}

/** A path without links; of what is not there yet, as far as it is. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realOf(above), basename(path));
  }
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

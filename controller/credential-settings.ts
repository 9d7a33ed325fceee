import { sep } from 'node:path';
import { USER_ID_PATTERN } from '../schemas/program.ts';
import type { CredentialFiles } from './credentials/credentials.ts';
import { type Given, refuse } from './option.ts';

/**
 * Which config files are given. Throws `BadRequest` that names the setting.
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
  const fileOf = (given: Given, text: string): string => {
    const path = pathOf(text);
    if (path !== registry && !path.startsWith(`${registry}${sep}`)) return path;
    throw refuse(given, 'a file outside the registry, since builds and commits take what lies there');
  };
  const byUser = new Map<string, string>();
  for (const given of some.filter(({ text }) => text !== '')) {
    const [, user = '', file = ''] = /^([^=]+)=(.+)$/.exec(given.text) ?? [];
    if (!USER_ID_PATTERN.test(user) || byUser.has(user))
      throw refuse(given, 'USER=FILE, each user once, such as me=/etc/hersh/me.json');
    byUser.set(user, fileOf(given, file));
  }
  return Object.freeze({ all: all.text === '' ? undefined : fileOf(all, all.text), byUser });
}

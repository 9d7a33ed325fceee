/** The room that knows who may pull what: docker's config files, and the helpers that they name. */

import type { Clock } from '../../schemas/clock.ts';
import type { Credentials, RegistryAuth } from '../engine/engine.ts';
import { askHelper } from './credential-helper.ts';
import { authOf, CredentialTrouble, helperOf, readDockerConfig, registryKey } from './docker-config.ts';

/** Absolute paths of docker config files. */
export interface CredentialFiles {
  /** Everybody's. */
  readonly all: string | undefined;
  /** Of the programs of one user alone. */
  readonly byUser: ReadonlyMap<string, string>;
}

/** With what the images of a user's programs are pulled. */
export interface CredentialSource {
  /** Equal for users who are taken in with the same: what one of them waits for may be another's too. */
  scopeOf(userId: string): string;
  /** Looked up anew for each registry that is asked for. @param onTrouble told why some can not be had; it goes on without */
  of(userId: string, onTrouble: (message: string) => void): Credentials;
}

export const NO_CREDENTIALS: CredentialSource = {
  scopeOf: () => '',
  of: () => async () => undefined,
};

/** Files are read anew at each use, so that a login counts from the next pull on. A user's own comes first. */
export function createCredentials({ all, byUser }: CredentialFiles, clock: Clock): CredentialSource {
  return {
    scopeOf: (userId) => (byUser.has(userId) ? userId : ''),
    of(userId, onTrouble) {
      const files = [byUser.get(userId), all].filter((file) => file !== undefined);
      const told = new Set<string>();
      return async (registry, signal) => {
        for (const file of files) {
          try {
            const auth = await lookUp(file, registryKey(registry), clock, signal);
            if (auth !== undefined) return auth;
          } catch (error) {
            // It is no trouble of theirs.
            if (signal?.aborted === true) return undefined;
            if (!(error instanceof CredentialTrouble)) throw error;
            if (!told.has(error.message)) onTrouble(error.message);
            told.add(error.message);
          }
        }
        return undefined;
      };
    },
  };
}

/** As docker: where a helper is named for a registry, or for all, the file itself is not asked. */
async function lookUp(
  file: string,
  key: string,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<RegistryAuth | undefined> {
  const config = await readDockerConfig(file);
  const helper = helperOf(config, key);
  return helper === undefined ? authOf(config, key) : askHelper(helper, key, clock, { signal });
}

/** What is wrong with the files, in words for people: to be told when the host starts. */
export async function brokenFilesOf({ all, byUser }: CredentialFiles): Promise<string[]> {
  const files = new Set([...(all === undefined ? [] : [all]), ...byUser.values()]);
  const looks = [...files].map((file) =>
    readDockerConfig(file).then(
      () => '',
      (error: unknown) => String(error instanceof Error ? error.message : error),
    ),
  );
  return (await Promise.all(looks)).filter((message) => message !== '');
}

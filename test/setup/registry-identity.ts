import type { RegistryIdentity } from '../../controller/engine/owner.ts';

/** Of a registry whose id is settled, and which is in no folder. */
export function fixedIdentity(id = '0123456789ab', path = '/srv/registry'): RegistryIdentity {
  return { path, known: () => id, settle: async () => id };
}

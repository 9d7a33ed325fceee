import { isOwn, type Labels, type Owner } from '../../controller/engine/owner.ts';
import { fixedIdentity } from '../setup/registry-identity.ts';

/** Whose the hosts of a story are. */
const { path, known } = fixedIdentity();
const OWNER: Owner = { instance: 'default', registry: known() ?? '', path };

/** Whether an object belongs to the hosts of a story: not to another instance, nor to another registry. */
export const isHostsOwn = (labels: Labels): boolean => isOwn(OWNER, labels);

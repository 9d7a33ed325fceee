import { createClient } from '../../client.ts';
import { send } from './session.ts';

/** The host that served this page. */
export const client = createClient({ base: '', fetch: send });

import { createClient } from '../../client.ts';

/** The host that served this page. */
export const client = createClient({ base: '' });

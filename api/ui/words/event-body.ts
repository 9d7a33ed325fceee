import type { NamedEventBody } from '../../client.ts';

/** An event of a program that is known from where it stands. */
export type EventBody = Omit<NamedEventBody, 'program_id'>;

import type { Client } from '../../client.ts';

/** What the API answers, by the words of the client. */
export type ProgramBody = Awaited<ReturnType<Client['program']>>;
export type SandboxBody = Awaited<ReturnType<Client['sandbox']>>;
export type UsageBody = Awaited<ReturnType<Client['usage']>>;
export type RevisionBody = Awaited<ReturnType<Client['revisions']>>[number];
export type DryRunBody = Awaited<ReturnType<Client['dryRun']>>;
export type ConditionBody = ProgramBody['conditions'][number];

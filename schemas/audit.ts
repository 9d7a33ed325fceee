/** A change that somebody asked for, with a token, and what came of it. As `data/audit.ndjson` has it. */
export interface AuditLine {
  /** When it was answered. */
  time: string;
  token: { id: string; name: string; role: string; user_id: string };
  /** Address. */
  from: string;
  method: string;
  /** With its query. */
  path: string;
  /** `""` where it is about none. */
  program: string;
  /** The one that is wanted of it from then on; 0 where that has no number yet. */
  revision: number;
  /** Of the answer; 0 where it broke off. */
  code: number;
}

import type { Problem } from './errors.ts';
import { HOP_BY_HOP } from './hop-by-hop.ts';
import { isRecord } from './is-record.ts';
import { statusRange } from './status-range.ts';

/** A probe's request has no body, and what speaks of one would make the program wait for it. */
const OF_A_BODY: readonly string[] = ['content-length', 'expect'];

/** Rules of a probe that concern several of its fields, or that no schema can say. */
export function probeProblems(at: string, probe: unknown): Problem[] {
  if (!isRecord(probe)) return [];
  const problems: Problem[] = [];
  const kinds = ['path', 'tcp', 'none'].filter((kind) => kind in probe);
  if (kinds.length > 1) problems.push({ path: at, message: `${at} takes one of path, tcp and none` });
  for (const field of ['headers', 'expect'].filter((one) => one in probe)) {
    const other = kinds.find((kind) => kind !== 'path');
    if (other === undefined) continue;
    const message = `${at}.${field} is for probes by HTTP: take it out, or ${other}`;
    problems.push({ path: `${at}.${field}`, message });
  }
  return [
    ...problems,
    ...headerProblems(`${at}.headers`, probe.headers),
    ...expectProblems(`${at}.expect`, probe.expect),
  ];
}

function headerProblems(at: string, headers: unknown): Problem[] {
  const seen = new Map<string, string>();
  return Object.keys(isRecord(headers) ? headers : {}).flatMap((name) => {
    const lower = name.toLowerCase();
    const before = seen.get(lower);
    seen.set(lower, name);
    const problem = (why: string) => ({
      path: `${at}.${name}`,
      message: `${at}.${name} ${why}`,
      atKey: true,
    });
    if (HOP_BY_HOP.includes(lower))
      return problem("speaks of the connection, which is the host's: leave it out");
    if (OF_A_BODY.includes(lower))
      return problem('speaks of a body, which a probe has none of: leave it out');
    return before === undefined ? [] : problem(`is ${before} again, since case does not count: keep one`);
  });
}

function expectProblems(at: string, expect: unknown): Problem[] {
  return (Array.isArray(expect) ? expect : []).flatMap((item: unknown, index) =>
    typeof item === 'object' || statusRange(item) !== undefined ? [] : expectProblem(`${at}.${index}`),
  );
}

export function expectProblem(at: string): Problem {
  return {
    path: at,
    message: `${at} must be a status code from 200 to 599, or a range of them such as 300-399`,
  };
}

/** Longest line of a reason in the list, in characters. */
export const BRIEF_MAX = 48;

/** One line of at most so many characters, cut at a word where one ends in its last third. */
export function cut(text: string, most = BRIEF_MAX): string {
  const line = firstLine(text).replace(/\s+/g, ' ').trim();
  if (line.length <= most) return line;
  const head = line.slice(0, most - 1);
  const end = line[most - 1] === ' ' ? head.length : head.lastIndexOf(' ');
  const kept = end > (most * 2) / 3 ? head.slice(0, end) : head;
  return `${kept.replace(/[\s,;:.–-]+$/, '')}…`;
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** Of a host's message: its first line, without when it is tried again, which is a field of its own. */
export function said(message: string): string {
  return firstLine(message).replace(/; (?:tried|started) again at \S+$/, '');
}

/** What engines say before what they have to say. */
const ENGINE_SAYS =
  /^(?:error response from daemon|failed to (?:create|start) (?:shim )?(?:task|container)(?: for container)?|failed to create task for container|oci runtime (?:create|start) failed|runc (?:create|start) failed|unable to start container process|container init(?:ialization)? failed)[^:]*: /i;

/** The engine's words from where they begin to say something. */
export function engineSaid(message: string): string {
  let text = said(message);
  for (;;) {
    const rest = text.replace(ENGINE_SAYS, '');
    if (rest === text) return text;
    text = rest;
  }
}

const STEP =
  /^(?:executor failed running \[(?<old>.*)\]|process "(?<new>.*)" did not complete successfully): (?<end>.*)$/;

/** Lines of a build's log that say how it goes on, and not what is wrong. */
const OF_BUILDER = /^(?:Step \d+\/\d+ :| *---> |Removing intermediate container |\s*$)/;
/** The same of a tool: that what it called ended badly is what is known already. */
const OF_TOOL =
  /^\W*$|^(?:error: )?exit (?:status|code) \d+$|^make(?:\[\d+\])?: \*\*\*|^npm (?:ERR!|error) A complete log/i;

/**
 * Why a build failed: the last line of the step that did which says something, as the end of its log has it; without
 * one, its command and how it ended.
 */
export function buildSaid(message: string): string {
  const [first = '', ...log] = message.split('\n');
  const number = log.findLast((line) => /^#\d+ ERROR: /.test(line))?.split(' ', 1)[0];
  const own = log
    .filter((line) => number === undefined || line.startsWith(`${number} `))
    .map((line) => said(line.replace(/^#\d+ /, '')).trim());
  const isOutput = (line: string) => !/^(?:ERROR: |DONE |CANCELED$|CACHED$|\[)/.test(line);
  const last = own.findLast((line) => isOutput(line) && !OF_BUILDER.test(line) && !OF_TOOL.test(line));
  return last ?? stepSaid(first);
}

/** Of a step that failed, its command and how it ended. */
function stepSaid(message: string): string {
  const line = said(message);
  const { old, new: command = old, end } = STEP.exec(line)?.groups ?? {};
  if (command === undefined || end === undefined) return line;
  const how = end.replace(/^exit code: /, 'exit code ');
  const bare = command.replace(/^\/bin\/(?:ba|da)?sh -c /, '');
  return `${cut(bare, Math.max(12, BRIEF_MAX - 2 - how.length))}: ${how}`;
}

/** What a probe got, without whom it asked. */
export function probeSaid(message: string): string {
  const line = firstLine(message).replace(/^not ready within \d+ s: /, '');
  if (/ECONNREFUSED/.test(line)) return 'connection refused';
  if (/closed without an answer/.test(line)) return 'closed without an answer';
  return line.replace(/^GET \S+ gave /, '').replace(/^GET \S+?:? (?=\S)/, '');
}

/** Of `programs/x.yaml:14:16: spec.publishPort must be …`: where, and what; line 0 where none is named. */
export function problemSaid(message: string): { line: number; text: string } {
  const { line, text } =
    /^\S+?\.ya?ml(?::(?<line>\d+)(?::\d+)?)?: (?<text>.*)$/.exec(said(message))?.groups ?? {};
  return { line: Number(line ?? 0), text: (text ?? said(message)).replace(/^spec\.(?=\S)/, '') };
}

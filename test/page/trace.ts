/** What Chromium's tracing tells of the main thread of a page. Times are milliseconds. */

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  /** Of the thread's own time: what other processes of a busy machine took is not in it. */
  tdur?: number;
  args?: { name?: string; data?: { functionName?: string; url?: string } };
}

/** Wall time, and the thread's own. */
interface Taken {
  ms: number;
  ownMs: number;
}

export interface Task extends Taken {
  /** What it was made of, the longest first, nested ones too. */
  parts: (Taken & { name: string })[];
}

export const CATEGORIES = ['toplevel', 'devtools.timeline', 'blink.user_timing', 'v8'];

const PARTS =
  /^(Layout|UpdateLayoutTree|PrePaint|Paint|Layerize|Commit|FunctionCall|FireAnimationFrame|EvaluateScript|RunMicrotasks|TimerFire|ParseHTML|MinorGC|MajorGC|V8\.GC.*|IntersectionObserverController::computeIntersections|HitTest|EventDispatch|RunTask|HandlePostMessage|XHR.*|UpdateLayer|AnimationFrame.*)$/;

/** Tasks of the page's main thread, the longest by its own time first. */
export function tasksOf(trace: Buffer): Task[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const whole = traceEvents.filter(({ ph, dur }) => ph === 'X' && dur !== undefined);
  const main = mainThread(traceEvents, whole);
  const own = whole.filter(({ pid, tid }) => `${pid} ${tid}` === main).sort((a, b) => a.ts - b.ts);
  const tops = own.filter(({ name }) => name === 'ThreadControllerImpl::RunTask' || name === 'RunTask');
  return tops
    .map((top) => ({ ...takenOf(top), top }))
    .sort((a, b) => b.ownMs - a.ownMs)
    .map(({ top, ...taken }, at) => ({ ...taken, parts: at < 10 ? partsOf(top, own) : [] }));
}

/** The renderer that did most. */
function mainThread(all: readonly TraceEvent[], whole: readonly TraceEvent[]): string {
  const names = all.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const sums = names.map(({ pid, tid }) => ({
    key: `${pid} ${tid}`,
    count: whole.filter((one) => one.pid === pid && one.tid === tid).length,
  }));
  return sums.sort((a, b) => b.count - a.count)[0]?.key ?? '';
}

function partsOf(top: TraceEvent, own: readonly TraceEvent[]): Task['parts'] {
  const end = top.ts + (top.dur ?? 0);
  const sums = new Map<string, Taken>();
  for (const event of own) {
    if (event === top || event.ts < top.ts || event.ts >= end || !PARTS.test(event.name)) continue;
    const { functionName = '' } = event.args?.data ?? {};
    const name = functionName === '' ? event.name : `${event.name} ${functionName}`;
    const sum = sums.get(name) ?? { ms: 0, ownMs: 0 };
    const taken = takenOf(event);
    sums.set(name, { ms: sum.ms + taken.ms, ownMs: sum.ownMs + taken.ownMs });
  }
  return [...sums].map(([name, sum]) => ({ name, ...sum })).sort((a, b) => b.ownMs - a.ownMs);
}

function takenOf({ dur = 0, tdur = dur }: TraceEvent): Taken {
  return { ms: dur / 1_000, ownMs: tdur / 1_000 };
}

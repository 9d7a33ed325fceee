import { AppError } from '../../schemas/errors.ts';
import { timestamp } from '../../schemas/program.ts';
import type { UsageFigures, UsageSeries } from '../../schemas/usage.ts';
import type { ApiDeps } from '../deps.ts';
import { flag } from '../http/query.ts';
import { findProgram, maySee, type RouteContext, type Routes, sendBytes, sendJson } from '../http/route.ts';
import type { ProgramView } from '../program-answers.ts';

/** The list's series has a point for so many steps of 15 s, which makes 30 of an hour: what fits beside a name. */
const STEPS_IN_POINT = 8;
/** Some milliseconds' work. */
const MADE_IN_ONE_GO = 50;

/** What a program uses. What is not known is null, and `reason` says why. */
export interface UsageBody {
  program_id: string;
  /** `""` before the first look. */
  sampled_at: string;
  cpu: number | null;
  memory_bytes: number | null;
  cpu_limit: number | null;
  memory_limit_bytes: number | null;
  reason: string;
  series?: SeriesBody;
}

interface SeriesBody {
  start: string;
  step_seconds: number;
  cpu: (number | null)[];
  memory_bytes: (number | null)[];
}

/** What programs use: of one, also over time, and of all at once. */
export function addUsageRoutes(routes: Routes, deps: ApiDeps): void {
  const lists = [createList(deps, false), createList(deps, true)] as const;
  routes.add(
    '/usage',
    {
      GET: async ({ c }) => sendBytes(await lists[flag(c, 'series') ? 1 : 0](maySee(c)), 'application/json'),
    },
    { GET: { query: ['series'] } },
  );
  routes.add('/programs/:id/usage', { GET: showUsage }, { GET: { query: ['range'] } });
}

async function showUsage({ c, deps }: RouteContext): Promise<Response> {
  const { name } = findProgram(c, deps);
  const range = c.req.query('range');
  const body = usageBody(name, deps.usage.figures(name));
  switch (range) {
    case undefined:
      return sendJson(body);
    case '1h':
      return sendJson({ ...body, series: seriesBody(deps.usage.hour(name)) });
    case '7d':
      return sendJson({ ...body, series: seriesBody(await deps.usage.week(name)) });
    default:
      throw new AppError('BadRequest', 'range must be 1h or 7d');
  }
}

/**
 * The list as JSON. What is told of a program is made once for each look at them all, however many ask for it and
 * whatever else changes; and of a thousand, others have their turn in between.
 */
function createList(
  { programs, usage }: ApiDeps,
  withSeries: boolean,
): (isShown: (program: ProgramView) => boolean) => Promise<string> {
  let made = { version: -1, texts: new Map<string, string>() };
  const textOf = (name: string): string => {
    const body = usageBody(name, usage.figures(name));
    return JSON.stringify(
      withSeries ? { ...body, series: seriesBody(usage.hour(name, STEPS_IN_POINT)) } : body,
    );
  };
  return async (isShown) => {
    const version = usage.version();
    if (made.version !== version) made = { version, texts: new Map() };
    const { texts } = made;
    const all: string[] = [];
    for (const { name } of programs.list().filter(isShown)) {
      let text = texts.get(name);
      if (text === undefined) {
        text = textOf(name);
        texts.set(name, text);
        if (texts.size % MADE_IN_ONE_GO === 0) await turn();
      }
      all.push(text);
    }
    return `{"programs":[${all.join(',')}],"count":${all.length}}`;
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function usageBody(name: string, figures: UsageFigures): UsageBody {
  const { sampledAtMs, cpu, memoryBytes, cpuLimit, memoryLimitBytes, reason } = figures;
  return {
    program_id: name,
    sampled_at: sampledAtMs === 0 ? '' : timestamp(sampledAtMs),
    cpu: cpu === null ? null : Math.round(cpu * 1e4) / 1e4,
    memory_bytes: memoryBytes,
    cpu_limit: cpuLimit,
    memory_limit_bytes: memoryLimitBytes,
    reason,
  };
}

function seriesBody({ startMs, stepMs, cpu, memoryBytes }: UsageSeries): SeriesBody {
  return { start: timestamp(startMs), step_seconds: stepMs / 1000, cpu, memory_bytes: memoryBytes };
}

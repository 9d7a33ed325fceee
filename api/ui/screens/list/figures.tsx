import type { ReadonlySignal } from '@preact/signals';
import type { UsageBody } from '../../../routes/usage.ts';
import { Spark } from '../../parts/spark.tsx';
import { partOf, usageOf } from '../../state/usage.ts';
import { percent } from '../../words/span.ts';
import { away } from './list-state.ts';

interface Props {
  name: string;
  /** Of the manifest, for where it does not run and the engine knows none. */
  limit: number | null;
  isNear: ReadonlySignal<boolean>;
}

/** From this part of its limit on a figure is bold. */
export const HIGH = 0.85;
const MEBI = 2 ** 20;

export function CpuCell({ name, limit: asked, isNear }: Props) {
  const usage = useUsage(name, isNear);
  const limit = usage?.cpu_limit ?? asked;
  const part = partOf(usage?.cpu, limit);
  const isHigh = part !== null && part >= HIGH;
  const title =
    part === null ? whyUnknown(usage) : `${(usage?.cpu ?? 0).toFixed(2)} of ${limit} CPU${spanOf(usage)}`;
  return (
    <div class={`c-cpu num${isHigh ? ' high' : ''}`} role="cell" title={title}>
      <Spark series={partsOf(usage?.series?.cpu, limit)} isHigh={isHigh} />
      {part === null ? '–' : percent(part)}
    </div>
  );
}

export function MemoryCell({ name, limit: asked, isNear }: Props) {
  const usage = useUsage(name, isNear);
  const limit = usage?.memory_limit_bytes ?? asked;
  const used = usage?.memory_bytes ?? null;
  const part = partOf(used, limit);
  const isHigh = part !== null && part >= HIGH;
  const [now, most] = [mi(used), mi(limit)];
  const title = used === null ? whyUnknown(usage) : `${now} of ${most} Mi${spanOf(usage)}`;
  return (
    <div class={`c-mem num${isHigh ? ' high' : ''}`} role="cell" title={title}>
      <Spark series={partsOf(usage?.series?.memory_bytes, limit)} isHigh={isHigh} />
      {now}
      {used !== null && limit !== null && <span class="of"> / {most}</span>}
    </div>
  );
}

/** What it uses; the last known where it is far from what is seen, and no figure while the engine is away. */
export function useUsage(name: string, isNear: ReadonlySignal<boolean>): UsageBody | undefined {
  const usage = isNear.value ? usageOf(name).value : usageOf(name).peek();
  const why = away.value === '' ? '' : 'the engine is away';
  return why === '' || usage === undefined ? usage : { ...usage, cpu: null, memory_bytes: null, reason: why };
}

function whyUnknown(usage: UsageBody | undefined): string {
  return usage === undefined ? 'not measured yet' : usage.reason || 'not known';
}

/** `, the last 60 min` */
function spanOf(usage: UsageBody | undefined): string {
  const { series } = usage ?? {};
  return series === undefined
    ? ''
    : `, the last ${Math.round((series.step_seconds * series.cpu.length) / 60)} min`;
}

function partsOf(
  series: readonly (number | null)[] | undefined,
  limit: number | null,
): (number | null)[] | undefined {
  return limit === null ? undefined : series?.map((value) => partOf(value, limit));
}

const mi = (bytes: number | null) => (bytes === null ? '–' : String(Math.round(bytes / MEBI)));

import { sparkPath } from '../words/spark-path.ts';

/** @param series parts of the limit, 0 to 1, the height being the limit; null where it is not known, or did not run */
export function Spark({
  series,
  isHigh = false,
}: {
  series: readonly (number | null)[] | undefined;
  isHigh?: boolean;
}) {
  const [width, height] = [56, 18];
  return (
    <svg
      class={`spark${isHigh ? ' warn' : ''}`}
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      aria-hidden="true"
    >
      {series && <path class="line" d={sparkPath(series, width, height)} />}
    </svg>
  );
}

import type { ComponentChildren, RefObject, SVGAttributes } from 'preact';
import type { Frame } from './frame.ts';
import type { Picture } from './picture.ts';
import type { Shape } from './shape.ts';

interface Props extends SVGAttributes<SVGSVGElement> {
  place: RefObject<SVGSVGElement | null>;
  picture: Picture;
  frame: Frame;
  /** Epoch milliseconds. */
  cursor: number | undefined;
  chosen: { from: number; to: number } | undefined;
}

/** The drawn timeline, with the place that is pointed at and the stretch that is chosen. */
export function TimelinePicture({ place, picture, frame, cursor, chosen, ...more }: Props) {
  const { height, axisY, shapes } = picture;
  const { width } = frame;
  const band = chosen && { x: frame.x(chosen.from), end: frame.x(chosen.to) };
  return (
    <svg ref={place} viewBox={`0 0 ${width} ${height}`} width={width} height={height} {...more}>
      <defs>
        <pattern
          id="tl-hatch"
          width={5}
          height={5}
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect class="tl-hatch" width={1.6} height={5} />
        </pattern>
        <pattern
          id="tl-unwatched"
          width={6}
          height={6}
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(-45)"
        >
          <rect class="tl-hatch rest" width={1} height={6} />
        </pattern>
      </defs>
      {band && (
        <rect class="tl-band" x={band.x} y={2} width={Math.max(1, band.end - band.x)} height={axisY - 2} />
      )}
      {shapes.map(drawn)}
      {cursor !== undefined && <path class="tl-cursor" d={`M${frame.x(cursor)} 2V${axisY}`} />}
    </svg>
  );
}

function drawn(shape: Shape, at: number): ComponentChildren {
  if (shape.kind === 'path') return <path key={at} class={shape.class} d={shape.d} />;
  if (shape.kind === 'text')
    return (
      <text key={at} class={shape.class} x={shape.x} y={shape.y} text-anchor={shape.anchor}>
        {shape.text}
      </text>
    );
  const { x, y, width, height } = shape;
  if (shape.isHatched === true)
    return (
      <rect
        key={at}
        {...{ x, y, width, height }}
        fill={shape.class === '' ? 'url(#tl-hatch)' : `url(#${shape.class})`}
      />
    );
  const rx = shape.class.startsWith('tl-rev') ? 2 : 0;
  return <rect key={at} class={shape.class} x={x} y={y} width={width} height={height} rx={rx} />;
}

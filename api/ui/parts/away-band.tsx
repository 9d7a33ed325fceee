import { engineAway, host } from '../state/host.ts';
import { exactTime, msOf } from '../words/span.ts';
import { Copy } from './copy.tsx';
import { Sign } from './glyph.tsx';
import { Time } from './time.tsx';

/** Over everything while the engine is away. */
export function AwayBand() {
  const why = engineAway();
  if (why === '') return null;
  const warning = host.value?.warnings.find(({ code }) => code === 'EngineUnavailable');
  const since = msOf(warning?.since);
  return (
    <section class="band bad" aria-label="The engine is away">
      <Sign role="bad" />
      <div class="band-text">
        <p>
          <b>Docker does not answer</b>
          {since !== undefined && (
            <>
              {' '}
              since <time dateTime={warning?.since}>{exactTime(since)}</time>, for{' '}
              <Time at={since} how="for" />
            </>
          )}
          . What ran goes on running; what you see is what was last known. The host asks again every second
          and goes on by itself.
        </p>
        <p class="do">
          Look at <Copy text="systemctl status docker" /> and <Copy text="df -h /var/lib/docker" />. It was
          said: <span class="mono">{why}</span>
        </p>
      </div>
    </section>
  );
}

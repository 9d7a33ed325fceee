import { areKeysOn, keys, setKeysOn } from '../state/keys.ts';
import { Button } from './button.tsx';
import { DialogActions, showDialog } from './dialog.tsx';
import { Keys } from './small.tsx';

/** All keys that do something now, with the switch that turns single keys off. */
export function showKeys(): void {
  showDialog({
    title: 'Keys',
    isWide: true,
    body: (close) => (
      <>
        <KeyList />
        <DialogActions>
          <Button onClick={close}>Close</Button>
        </DialogActions>
      </>
    ),
  });
}

function KeyList() {
  const groups = Map.groupBy(keys.value, ({ where }) => where);
  return (
    <>
      <div class="keys">
        {[...groups].map(([where, list]) => (
          <section key={where}>
            <h3>{where}</h3>
            <dl>
              {list.map((key) => [
                <dt key={`${key.keys} key`}>
                  <Keys keys={key.keys} />
                </dt>,
                <dd key={key.keys}>{key.label}</dd>,
              ])}
            </dl>
          </section>
        ))}
      </div>
      <p class="check">
        <input
          type="checkbox"
          id="keys-on"
          checked={areKeysOn.value}
          onChange={(event) => setKeysOn(event.currentTarget.checked)}
        />
        <label for="keys-on">
          Single keys do something. Switch this off if your screen reader or your cat needs them.
        </label>
      </p>
    </>
  );
}

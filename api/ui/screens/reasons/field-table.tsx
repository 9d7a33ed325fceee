import { Mono } from '../../parts/small.tsx';
import { fields } from '../../words/fields.ts';

/** All fields of a manifest, out of the host's schema and its table of what a change costs. */
export function FieldTable() {
  return (
    <table class="field-table">
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">What it is</th>
          <th scope="col">Default</th>
          <th scope="col">What a change costs</th>
        </tr>
      </thead>
      <tbody>
        {fields().map(({ path, isRequired, values, byDefault, says, costs }) => (
          <tr key={path}>
            <th scope="row">
              <Mono>{path}</Mono>
              {isRequired && <span class="note"> required</span>}
            </th>
            <td>
              {says} <span class="note">{values}</span>
            </td>
            <td>{byDefault === '' ? <span class="none">–</span> : <Mono>{byDefault}</Mono>}</td>
            <td>{costs}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

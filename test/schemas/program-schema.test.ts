import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { programSchema } from '../../schemas/validate.ts';

// The host takes this for granted: to ask it costs a start more than all else that a manifest is checked by.
test('the schema of a manifest is one of JSON Schema 2020-12', () => {
  const ajv = new Ajv2020();
  assert.equal(ajv.validateSchema(programSchema()), true, ajv.errorsText());
});

// SPDX-License-Identifier: Apache-2.0
//
// node sign.mjs FOLDER: FOLDER/node_modules holds the library. Standard input is a JSON list of what to do, standard output the
// list of results:
//   {"do":"sign","secret":BASE64,"id":TEXT,"timestamp":SECONDS,"payload":TEXT}         -> {"signature":"v1,..."}
//   {"do":"verify","secret":BASE64,"headers":{"webhook-id":TEXT, ...},"payload":TEXT}  -> {"valid":true} or {"valid":false,"why":TEXT}
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const { Webhook } = createRequire(resolve(process.argv[2], 'package.json'))('standardwebhooks');

function run(task) {
  const webhook = new Webhook(task.secret);
  if (task.do === 'sign') {
    return { signature: webhook.sign(task.id, new Date(task.timestamp * 1000), task.payload) };
  }
  try {
    webhook.verify(task.payload, task.headers);
    return { valid: true };
  } catch (error) {
    return { valid: false, why: error.message };
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(run)));

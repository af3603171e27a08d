// Audits a GraphQL server over HTTP with the audits of the package
// graphql-http: prints how many there are, then each that does not pass.
//
//   node audit.mjs URL
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2] });
console.log(results.length);
for (const { id, name, status, reason } of results) {
  if (status !== 'ok') console.log(`${id} ${name}: ${reason}`);
}

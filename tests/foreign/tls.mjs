// TLS before the shop, as a proxy has it: tls.mjs CERTIFICATE KEY HOST:PORT. Prints its own port.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer } from 'node:tls';

const [certificate, key, inside] = process.argv.slice(2);
const [host, port] = inside.split(':');
const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (near) => {
  const far = connect(Number(port), host);
  for (const side of [near, far]) side.on('error', () => [near, far].forEach((end) => end.destroy()));
  near.pipe(far).pipe(near);
});
server.on('tlsClientError', () => {});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));

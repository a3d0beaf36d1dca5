// Prints as many free ports of 127.0.0.1 as asked for, all different. They are free now; nothing keeps them so.
import net from "node:net";

const count = Number(process.argv[2] ?? 1);
const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve) => {
  const server = net.createServer().listen(0, "127.0.0.1", () => resolve(server));
})));
console.log(servers.map((server) => server.address().port).join(" "));
for (const server of servers) server.close();

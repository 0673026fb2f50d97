/**
 * Ports that speak something else than HTTP, and that a request could make do something: those that browsers refuse
 * (the fetch standard's "bad ports", but for 1 and 9, which do nothing and stand for "nobody is there" in many a test),
 * and those of databases, queues and remote control. Ports that people run web
 * servers on stay open, and so does everything from 32768 on.
 */
const badPorts = [
  0, 7, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
  110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526,
  530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659,
  4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080,
]

/** SMB, rsync, SQL Server, Oracle, ZooKeeper, Docker, etcd, MySQL, RDP, PostgreSQL, AMQP, VNC, CouchDB, Redis, … */
const servicePorts = [
  445, 873, 1433, 1521, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 5432, 5671, 5672, 5900, 5984, 6379, 9042,
  9092, 9200, 9300, 10_250, 11_211, 27_017, 27_018, 27_019,
]

const refusedPorts: ReadonlySet<number> = new Set([...badPorts, ...servicePorts])

export function isRefusedPort(port: number, allowed: readonly number[]): boolean {
  return refusedPorts.has(port) && !allowed.includes(port)
}

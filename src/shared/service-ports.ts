// Owns which service a port means, for the agent and the preload alike.

/** Ports that IANA or their makers give to one service; the app's own choice of another tells nothing. */
export const SERVICE_PORTS: Readonly<Record<number, string>> = {
  389: 'LDAP', 587: 'SMTP', 636: 'LDAP', 1433: 'SQL Server', 1521: 'Oracle', 3306: 'MySQL', 5432: 'PostgreSQL', 5671: 'AMQP', 5672: 'AMQP', 6379: 'Redis', 6380: 'Redis',
  9042: 'Cassandra', 9092: 'Kafka', 9093: 'Kafka', 9200: 'Elasticsearch', 10255: 'MongoDB', 11211: 'Memcached', 27017: 'MongoDB',
};

-- Who read the log, and how much of it?
SELECT ts_ms, kind, tenant, key_id, via, exchange_id, data
FROM act
WHERE kind LIKE 'access.%'
    AND ts_ms >= :since_ms AND ts_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
ORDER BY ts_ms, replica, epoch, n

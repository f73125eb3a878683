-- What was done to policies, terms, keys and the log, and by whom?
SELECT ts_ms, kind, tenant, key_id, via, data
FROM act
WHERE kind NOT LIKE 'access.%' AND kind NOT LIKE 'chain.%'
    AND ts_ms >= :since_ms AND ts_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
ORDER BY ts_ms, replica, epoch, n

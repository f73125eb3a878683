-- What was blocked, by which rule, for which application?
SELECT rule, direction, tenant, application, count(DISTINCT exchange_id) AS exchanges
FROM effect
WHERE action = 'block'
    AND ts_ms >= :since_ms AND ts_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
GROUP BY rule, direction, tenant, application
ORDER BY exchanges DESC, rule, tenant, application, direction

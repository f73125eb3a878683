-- What would rules have done that warn or run in shadow?
SELECT mode, rule, action, direction, tenant, application,
    count(DISTINCT exchange_id) AS exchanges, CAST(sum(count) AS bigint) AS times
FROM trial
WHERE ts_ms >= :since_ms AND ts_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
GROUP BY mode, rule, action, direction, tenant, application
ORDER BY exchanges DESC, rule, tenant, application, mode, action, direction

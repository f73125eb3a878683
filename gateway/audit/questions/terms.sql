-- Which models were used, under which revision of their terms?
-- Of exchanges that have ended. Clocks may differ by a day: no older month is read.
SELECT model, provider, terms, tenant, application, count(*) AS exchanges,
    min(opened_ms) AS first_ms, max(opened_ms) AS last_ms
FROM exchange
WHERE closed_ms >= :since_ms - 86400000
    AND opened_ms >= :since_ms AND opened_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
GROUP BY model, provider, terms, tenant, application
ORDER BY model, terms, tenant, application, provider

-- Which answers went out without a label that they are made by AI?
-- Of exchanges that have ended. Clocks may differ by a day: no older month is read.
SELECT exchange_id, closed_ms, tenant, application, model, provider, endpoint
FROM exchange
WHERE outcome = 'completed' AND labels IS NULL
    AND closed_ms >= :since_ms - 86400000
    AND opened_ms >= :since_ms AND opened_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
ORDER BY closed_ms, exchange_id

-- Which exchanges have no end: still running, or cut off by a crash?
SELECT exchange_id, opened_ms, tenant, application, model, replica
FROM exchange
WHERE outcome = 'open'
    AND opened_ms >= :since_ms AND opened_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
ORDER BY opened_ms, exchange_id

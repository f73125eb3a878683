-- Which exchanges have no end: still running, or cut off by a crash?
-- Clocks may differ by a day: no older entry can be its end, and no older month is read.
SELECT exchange_id, ts_ms AS opened_ms, tenant, application, model, replica
FROM audit_entry AS o
WHERE kind = 'exchange.opened'
    AND ts_ms >= :since_ms AND ts_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
    AND NOT EXISTS (
        SELECT 1 FROM audit_entry AS c
        WHERE c.exchange_id = o.exchange_id AND c.kind = 'exchange.closed'
            AND c.ts_ms >= :since_ms - 86400000
    )
ORDER BY opened_ms, exchange_id

-- What passed without being read, or without a detector that could judge it?
SELECT endpoint, direction, what, detail, tenant, application,
    count(DISTINCT exchange_id) AS exchanges, CAST(sum(amount) AS bigint) AS amount
FROM (
    SELECT endpoint, direction, 'opaque' AS what, media_type AS detail, tenant, application,
        exchange_id, bytes AS amount
    FROM opaque
    WHERE outcome IN ('completed', 'disconnected')
        AND ts_ms >= :since_ms AND ts_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
    UNION ALL
    SELECT endpoint, direction, 'detector failed', detector, tenant, application,
        exchange_id, count
    FROM finding
    WHERE category = 'DETECTOR_ERROR' AND outcome IN ('completed', 'disconnected')
        AND ts_ms >= :since_ms AND ts_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
) AS gap
GROUP BY endpoint, direction, what, detail, tenant, application
ORDER BY exchanges DESC, endpoint, direction, what, detail, tenant, application

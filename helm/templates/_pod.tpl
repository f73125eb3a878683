{{- define "gateway.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "gateway.containerSecurityContext" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* What every container of ours needs to reach its data. */ -}}
{{- define "gateway.dataEnv" -}}
- name: GATEWAY_DATA
  value: /var/lib/gateway
{{- if include "gateway.shared" . }}
- name: GATEWAY_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.existingSecret.name }}
      key: {{ .Values.database.existingSecret.key }}
{{- end }}
{{- end -}}

{{- /* A mounted Secret belongs to root and is readable by the group; the gateway takes only a
       keyring that nobody but itself may read. */ -}}
{{- define "gateway.keyringStep" -}}
- name: keyring
  image: {{ include "gateway.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [install, --mode=0600, /run/keyring/keyring.json, /etc/gateway/keyring/keyring.json]
  securityContext:
    {{- include "gateway.containerSecurityContext" . | nindent 4 }}
  resources:
    {{- toYaml .Values.migrationResources | nindent 4 }}
  volumeMounts:
    - name: keyring-secret
      mountPath: /run/keyring
      readOnly: true
    - name: keyring
      mountPath: /etc/gateway/keyring
{{- end -}}

{{- define "gateway.keyringVolumes" -}}
- name: keyring
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
- name: keyring-secret
  secret:
    secretName: {{ .Values.keyring.existingSecret.name }}
    defaultMode: 0440
    items:
      - key: {{ .Values.keyring.existingSecret.key }}
        path: keyring.json
{{- end -}}

{{- define "gateway.dataVolume" -}}
- name: data
  {{- if include "gateway.shared" . }}
  emptyDir: {}
  {{- else }}
  persistentVolumeClaim:
    claimName: {{ include "gateway.claimName" . }}
  {{- end }}
{{- end -}}

{{- /* A setting as text. Numbers go through JSON, since Helm reads them as floats
       and would write 1048576 as 1.048576e+06. */ -}}
{{- define "gateway.envValue" -}}
{{- if kindIs "string" . -}}{{ quote . }}{{- else -}}{{ toJson . | quote }}{{- end -}}
{{- end -}}

{{- /* The text of one policy file; a mapping is written as YAML. */ -}}
{{- define "gateway.fileText" -}}
{{- if kindIs "string" . -}}{{ . }}{{- else -}}{{ toYaml . }}{{- end -}}
{{- end -}}

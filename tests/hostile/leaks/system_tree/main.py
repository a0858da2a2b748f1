from attack import attempt, found, write

places = """/x /usr/x /usr/bin/x /etc/x /etc/passwd /opt/x /opt/venv/x /dev/x /proc/x /sys/x /run/x /var/tmp/x
    /home/x /root/x /srv/x data/x data/metadata.csv data/images/a.jpg /run/whaledo/x"""
found(written=[place for place in places.split() if attempt(write, place) == "written"])
